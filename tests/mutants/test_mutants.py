"""Every mutant still applies, and those whose catchers need no server are caught."""

from pathlib import Path

import pytest

from deploy.local import folders
from tests.mutants import prove
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import DoesNotApply, Edit, Mutant, caught
from tests.mutants.table import as_markdown, as_row, lines_of
from tests.mutants.tree import TESTS_FAILED, Trial
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
        for test in line.catcher.tests:
            assert (folders.ROOT / test.split("::")[0]).exists(), f"{line.mutant.name}: {test} is gone"
        assert line.catcher.says not in ("", "test_"), f"{line.mutant.name}: any failure would do"


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
        (TESTS_FAILED, "FAILED tests/x.py::test_the_order", True),
        (TESTS_FAILED, "FAILED tests/x.py::test_something_else", False),
        (0, "test_the_order passed", False),
        (2, "ERROR collecting test_the_order", False),
    ],
)
def test_only_the_failure_of_what_had_to_fail_is_a_catch(exit_code: int, output: str, expected: bool) -> None:
    catcher = caught("tests/x.py", says="test_the_order")
    assert prove.is_caught(catcher, Trial(exit_code, 1.0, output)) is expected


def test_the_table_names_every_mutant() -> None:
    table = as_markdown(lines_of(MUTANTS))
    assert all(f"| `{one.name}` |" in table for one in MUTANTS)


def test_the_page_has_a_line_for_every_mutant_and_catcher() -> None:
    page = prove.PAGE.read_text()
    missing = [line for line in lines_of(MUTANTS) if as_row(line).rsplit("|", 3)[0] not in page]
    assert missing == [], "write it anew: python -m tests.proof mutants, or python -m tests.mutants.table > docs/mutants.md"


@pytest.mark.slow
@pytest.mark.patient
@pytest.mark.timeout(600)
async def test_those_that_need_no_server_are_caught(tmp_path: Path) -> None:
    figures = await prove.prove(Options(tmp_path, short=True))
    assert [figure for figure in figures if not figure.met] == []
