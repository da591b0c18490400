"""Every mutant still applies, and those whose catchers need no server are caught."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local import folders
from tests.mutants import prove
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import DoesNotApply, Edit, Mutant, caught, in_chaos, simulated
from tests.mutants.table import Line, as_markdown, as_page, as_row, lines_of, outdated
from tests.mutants.tree import TESTS_FAILED, Tree, Trial
from tests.proof.options import Options


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_source_still_has_what_a_mutant_changes(mutant: Mutant) -> None:
    sources = mutant.sources(folders.ROOT)
    for path, text in sources.items():
        compile(text, str(path), "exec")
        assert text != path.read_text()


def test_each_has_a_name_of_its_own_and_a_catcher_that_exists() -> None:
    names = [one.name for one in MUTANTS]
    assert len(names) == len(set(names)) >= prove.WANTED
    for line in lines_of(MUTANTS):
        files = [folders.ROOT / test.split("::")[0] for test in line.catcher.tests]
        for file in files:
            assert file.exists(), f"{line.mutant.name}: {file} is gone"
        if line.catcher.kind == "test":
            written = any(f"def {line.catcher.says}(" in file.read_text() for file in files)
            assert written, f"{line.mutant.name}: there is no {line.catcher.says}"
        else:
            assert line.catcher.says.strip() not in ("", "seed"), f"{line.mutant.name}: any failure would do"


def test_a_mutant_whose_source_moved_on_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    moved = Mutant("gone", "", (Edit("a.py", "y = 1", "y = 2"),), caught("tests/x", says="y"))
    twice = Mutant("twice", "", (Edit("a.py", "x = 1", "x = 2"),), caught("tests/x", says="x"))
    for mutant in (moved, twice):
        with pytest.raises(DoesNotApply, match=f"mutant {mutant.name} does not apply any more"):
            mutant.sources(tmp_path)


@pytest.mark.parametrize(
    ("exit_code", "output", "expected"),
    [
        (TESTS_FAILED, "FAILED tests/x.py::test_the_order - assert 1 == 2", True),
        (TESTS_FAILED, "FAILED tests/x.py::test_the_order[a::b-1]", True),
        (TESTS_FAILED, "FAILED tests/x.py::test_the_order_of_others", False),
        (TESTS_FAILED, "FAILED tests/x.py::test_something_else - test_the_order", False),
        (TESTS_FAILED, "ERROR at setup of test_the_order\nERROR tests/x.py::test_the_order - StartError", False),
        (0, "test_the_order passed", False),
        (2, "ERROR collecting test_the_order", False),
    ],
)
def test_only_the_failure_of_what_had_to_fail_is_a_catch(exit_code: int, output: str, expected: bool) -> None:
    catcher = caught("tests/x.py", says="test_the_order")
    assert prove.is_caught(catcher, Trial(exit_code, 1.0, output)) is expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("E       AssertionError: seed 3:\nE         4 owner: two\nFAILED tests/x.py::test_seeds - seed 3:", True),
        ("E       AssertionError: seed 3:\nE         5 early: one\nFAILED tests/x.py::test_seeds - seed 3:", False),
        ('>       yield "4 owner: "\nE       KeyError: 1\nFAILED tests/x.py::test_seeds - KeyError', False),
        ("E       StartError: 4 owner: \nERROR tests/x.py::test_seeds - StartError", False),
    ],
)
def test_only_the_violation_that_had_to_be_found_is_a_catch(output: str, expected: bool) -> None:
    for catcher in (simulated("4 owner: "), in_chaos("4 owner: ")):
        assert prove.is_caught(catcher, Trial(TESTS_FAILED, 1.0, output)) is expected


async def test_pytest_calls_a_server_that_does_not_start_an_error(tmp_path: Path) -> None:
    """What `is_caught` counts on: of real runs, one where the fixture fails and one where the test does."""
    (tmp_path / "test_x.py").write_text(
        "import pytest\n\n@pytest.fixture\ndef server():\n    raise RuntimeError('did not start')\n\n"
        "def test_with_server(server):\n    pass\n\ndef test_alone():\n    assert 1 == 2\n"
    )
    for test, expected in (("test_with_server", False), ("test_alone", True)):
        arguments = ["-m", "pytest", "-x", "-q", "-rfE", "-c", os.devnull, f"test_x.py::{test}"]
        done = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        trial = Trial(done.returncode, 1.0, done.stdout)
        assert trial.exit_code == TESTS_FAILED
        assert prove.is_caught(caught("test_x.py", says=test), trial) is expected


def test_the_table_names_every_mutant() -> None:
    table = as_markdown(lines_of(MUTANTS))
    assert all(f"| `{one.name}` |" in table for one in MUTANTS)


def test_the_page_has_a_line_for_every_mutant_and_catcher() -> None:
    anew = "write it anew: python -m tests.proof mutants, or python -m tests.mutants.table > docs/mutants.md"
    assert outdated(prove.PAGE.read_text()) == set(), anew


def test_a_page_with_results_is_as_good_until_the_catalogue_changes() -> None:
    lines = [replace(line, is_caught=True, seconds=2.5) for line in lines_of(MUTANTS)]
    page = as_page(lines, tried="Tried.")

    assert "| caught | 2 s |" in page
    assert outdated(page) == set()
    assert outdated(page.replace("| `position-first` |", "| `position-last` |"))
    assert outdated(page + as_row(Line(Mutant("gone", "", (), caught("tests/x", says="x")), caught("tests/x", says="x"))))


def test_the_short_form_tries_all_that_anybody_notices_without_a_server() -> None:
    for one in MUTANTS:
        assert bool(one.quick) is any(not catcher.servers for catcher in one.catchers)
    assert all(_find(name).quick for name in ("position-first", "sequence-not-checked", "state-without-outbox"))


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.parametrize("name", ["cursor-relay", "request-not-locked-nor-compared"])
async def test_a_bug_of_the_statements_is_caught_on_the_real_database(tmp_path: Path, name: str) -> None:
    """SQL that no one but PostgreSQL can judge: the issue names these bugs, and the short form leaves them out."""
    mutant = _find(name)
    tree = Tree(tmp_path / "tree")
    try:
        with tree.mutated(mutant):
            trial = await tree.run(mutant.caught_by)
    finally:
        await tree.close()
    assert prove.is_caught(mutant.caught_by, trial), trial.tail()


def _find(name: str) -> Mutant:
    return next(one for one in MUTANTS if one.name == name)


@pytest.mark.slow
@pytest.mark.patient
@pytest.mark.timeout(600)
async def test_those_that_need_no_server_are_caught(tmp_path: Path) -> None:
    page = prove.PAGE.read_text()
    figures = await prove.prove(Options(tmp_path, short=True))
    assert [figure for figure in figures if not figure.met] == []
    assert prove.PAGE.read_text() == page, "the page is the long form's"


def test_a_seed_draws_which_mutants_come_first_and_leaves_the_catchers_of_each_together() -> None:
    works = [prove.Work(one, catcher) for one in MUTANTS for catcher in one.catchers]
    assert prove.drawn(works, None) == works
    drawn = prove.drawn(works, 7)
    assert drawn == prove.drawn(works, 7) != prove.drawn(works, 8)
    assert len(set(drawn)) == len(set(works)) and drawn != works
    names = [one.mutant.name for one in drawn]
    assert [name for name, before in zip(names, [None, *names], strict=False) if name != before] == list(dict.fromkeys(names))


def test_a_part_is_met_when_all_that_were_tried_are_caught() -> None:
    one, other = MUTANTS[:2]
    caught_one, missed = Line(one, one.caught_by, is_caught=True), Line(other, other.caught_by, is_caught=False)
    assert prove._part([caught_one]).met
    assert not prove._part([caught_one, missed]).met
    assert not prove._part([]).met
