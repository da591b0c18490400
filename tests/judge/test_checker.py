"""The checker: says nothing of a town where all is well, and names each thing that is not, by the number of its invariant."""

import pytest

from tests.judge.checker import violations
from tests.judge.small_town import SmallTown
from tests.judge.spoiling import alter, publish_nothing
from tests.judge.spoils import SPOILS, Spoil
from tests.judge.story import Story


def test_nothing_is_said_of_a_town_where_all_is_well() -> None:
    story = Story()
    assert violations(story.evidence(), story.history) == []


def test_statistics_that_hide_what_is_large_enough_are_told() -> None:
    town = SmallTown()
    for number in range(24):
        town.post(number, ("voirie", "proprete")[number % 2])
    evidence = town.evidence()
    publish_nothing(evidence)
    found = [line.removeprefix("10 hidden: rivemont 2026-11 ") for line in violations(evidence, town.history, thorough=False)]
    assert "services received, says the service, hides voirie, 12" in found
    assert "channels received, says the service, hides app, 24" in found
    assert "services received, says the service, does not show the total, 24" in found
    assert "services transferred, says the service, hides voirie, 0" in found


@pytest.mark.parametrize(
    ("told", "spoil"),
    [pytest.param(told, spoil, id=f"{group}-{told}") for group, cases in SPOILS.items() for told, spoil in cases],
)
def test_what_is_broken_is_named(told: str, spoil: Spoil) -> None:
    story = Story()
    evidence = story.evidence()
    spoil(story, evidence)
    broken = violations(evidence, story.history)
    assert any(told in line for line in broken), broken


def test_whatever_the_log_lacks_is_told_and_breaks_no_check() -> None:
    story = Story()
    whole = story.evidence().log
    lives = [[one for one in whole if (one.topic, one.request_id) == name] for name in {(o.topic, o.request_id) for o in whole}]
    for lost in [*([one] for one in whole), *lives]:
        evidence = story.evidence()
        evidence.log[:] = [one for one in evidence.log if one not in lost]
        found = violations(evidence, story.history)
        assert any(line.startswith("3 not published: ") for line in found), lost[0].name


def test_without_thorough_only_the_slow_parts_are_left_out() -> None:
    story = Story()
    evidence = story.evidence()
    alter(evidence, "handling.v1", story.worked, "answered", elapsed_working_seconds=1)
    found = violations(evidence, story.history, thorough=False)
    assert found
    assert not any(line.startswith("6") for line in found), found
