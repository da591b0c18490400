"""What a run of the chaos says of itself: whether all seeds ran, and of which tree those are that it takes over."""

from pathlib import Path

import pytest

from tests.chaos.chaos import LONG, SHORT, figures, seeds_of
from tests.chaos.outcome import Outcome
from tests.chaos.seed import Form


def _seeds(count: int, *, in_part: bool) -> tuple[str, str, bool]:
    first = figures(LONG, [Outcome(seed, "long") for seed in range(1, count + 1)], in_part=in_part)[0]
    return first.what, first.goal, first.met


def test_the_long_form_wants_all_its_seeds() -> None:
    assert _seeds(20, in_part=False) == ("seeds of the long form", "= 20", True)
    assert _seeds(19, in_part=False) == ("seeds of the long form", "= 20", False)


def test_a_part_says_that_it_is_one() -> None:
    assert _seeds(1, in_part=True) == ("seeds, part of the 20 of the long form", ">= 1", True)
    assert not _seeds(0, in_part=True)[2]


@pytest.mark.parametrize(
    ("kept", "now", "again"),
    [("abc1234", "abc1234", False), ("abc1234", "def5678", True), ("abc1234+", "abc1234+", True), ("", "", True)],
)
def test_a_seed_that_another_tree_ran_is_run_again(tmp_path: Path, kept: str, now: str, again: bool) -> None:
    Outcome(7, "long", commit=kept).save(tmp_path)
    assert (Outcome.find(tmp_path, "long", 7, commit=now) is None) == again


@pytest.mark.parametrize(
    ("form", "unknown", "done", "met"),
    [(SHORT, 0, 0, False), (SHORT, 9, 0, True), (LONG, 9, 0, False), (LONG, 9, 9, False), (LONG, 9, 1, True)],
)
def test_a_run_in_which_no_outcome_was_unknown_proves_nothing_of_that(form: Form, unknown: int, done: int, met: bool) -> None:
    outcomes = [Outcome(seed, form.name, unknown=unknown, unknown_done=done) for seed in range(1, 4)]
    told = next(one for one in figures(form, outcomes, in_part=False) if "unknown outcome" in one.what)
    assert told.met == met


def test_a_fault_that_met_nobody_does_not_count() -> None:
    def met(form: Form, *, faults: int, unfelt: int) -> bool:
        outcome = Outcome(1, form.name, faults={"kill": faults - 9, "cut": 9}, unfelt={"cut": unfelt})
        return next(one for one in figures(form, [outcome], in_part=True) if "met nobody" in one.what).met

    assert met(SHORT, faults=SHORT.felt + 2, unfelt=2)
    assert not met(SHORT, faults=SHORT.felt + 2, unfelt=3)
    assert met(LONG, faults=LONG.felt, unfelt=0)
    assert not met(LONG, faults=LONG.felt, unfelt=1)


def test_the_forms_want_as_many_faults_as_are_promised_and_have_some_to_spare() -> None:
    for form, promised in ((SHORT, 60), (LONG, 1000)):
        assert form.felt * len(seeds_of(form)) >= promised
        assert sum(len(form.plan(seed)) for seed in seeds_of(form)) >= 1.1 * promised
