"""The command line of the proofs: what it refuses, what a result is attributed to, and what is published of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proof import __main__ as command_line
from tests.proof import publish, report
from tests.proof.catalogue import PROOFS, refusals
from tests.proof.options import Options
from tests.proof.report import Figure

MET = Figure("P0", "what", 1, ">= 1", met=True)


async def _met(_: Options) -> list[Figure]:
    return [MET]


async def _ended(_: Options) -> list[Figure]:
    raise KeyboardInterrupt


async def _broken_off(_: Options) -> list[Figure]:
    raise AssertionError("3 of 100 requests reached no agent")


def _options(folder: Path, *, short: bool = False, seed: int | None = None, minutes: float | None = None) -> Options:
    return Options(folder, short=short, seed=seed, minutes=minutes, commit="abc1234+")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            ["fold", "--seed", "7"],
            "fold has no --seed. Those that have it: chaos, resilience, mutants, statistics, hostile, simulation",
        ),
        (
            ["latency", "--minutes", "5"],
            "latency has no --minutes. Those that have it: chaos, resilience, mutants, recovery, hostile, simulation",
        ),
        (["chaos", "--minutes", "0"], "more than 0 are needed"),
        (["chaos", "--minutes", "nan"], "more than 0 are needed"),
        (["simulation", "--seed", "3", "--minutes", "5"], "give one of them"),
        (["chaos", "--minutes", "soon"], "'soon' is no number of minutes"),
    ],
)
def test_an_option_that_a_proof_does_not_know_is_refused(line: list[str], said: str) -> None:
    asked = subprocess.run([sys.executable, "-m", "tests.proof", *line], capture_output=True, text=True, check=False)
    assert asked.returncode == 2
    assert said in asked.stderr


def test_a_proof_that_knows_an_option_takes_it() -> None:
    assert not list(refusals("recovery", seed=None, minutes=5))
    assert not list(refusals("statistics", seed=0, minutes=None))
    for name in ("resilience", "mutants"):
        assert not list(refusals(name, seed=1, minutes=5))
    assert all(proof.means(option) for proof in PROOFS.values() for option in proof.bounds)


def test_a_result_says_what_it_is_of(tmp_path: Path) -> None:
    run = report.begin("chaos", _options(tmp_path, minutes=5), folder=tmp_path)
    assert run.form == "part of the long form (--minutes 5)"
    assert run.conclude([MET]) == 0
    told = json.loads((tmp_path / "chaos.minutes-5.json").read_text())
    assert told["commit"] == "abc1234+"
    assert (told["form"], told["part"], told["seed"], told["minutes"]) == ("long", True, None, 5)


def test_a_further_look_back_is_no_part(tmp_path: Path) -> None:
    assert report.begin("recovery", _options(tmp_path, minutes=9), folder=tmp_path).form == "long form (--minutes 9)"


def test_what_runs_in_another_order_is_no_part_and_what_stops_earlier_is(tmp_path: Path) -> None:
    assert report.begin("mutants", _options(tmp_path, seed=9), folder=tmp_path).form == "long form (--seed 9)"
    assert report.begin("mutants", _options(tmp_path, minutes=9), folder=tmp_path).form == "part of the long form (--minutes 9)"


def test_the_help_says_what_an_option_does_to_each_that_has_it() -> None:
    told = " ".join(command_line.parser().format_help().split())
    for proof in PROOFS.values():
        assert all(proof.means(option) in told for option in ("seed", "minutes"))


def test_only_a_whole_long_form_is_published(tmp_path: Path) -> None:
    for options in (_options(tmp_path, short=True), _options(tmp_path, seed=3)):
        report.begin("statistics", options, folder=tmp_path).conclude([MET])
    assert report.find("statistics", folder=tmp_path) is None
    report.begin("statistics", _options(tmp_path), folder=tmp_path).conclude([MET])
    assert report.find("statistics", folder=tmp_path) is not None


def test_a_result_that_does_not_say_its_form_is_not_published(tmp_path: Path) -> None:
    (tmp_path / "fold.json").write_text(json.dumps({"figures": []}))
    assert report.find("fold", folder=tmp_path) is None


def test_a_proof_that_breaks_off_leaves_no_older_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "RESULTS", tmp_path)
    assert command_line.conclude("latency", _options(tmp_path), _met) == 0
    assert report.find("latency", folder=tmp_path) is not None
    assert command_line.conclude("latency", _options(tmp_path), _broken_off) == 1
    assert "latency broke off: AssertionError 3 of 100 requests reached no agent" in capsys.readouterr().err
    assert report.find("latency", folder=tmp_path) is None


def test_a_proof_without_a_result_keeps_its_rows_and_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(publish, "find", lambda _name: None)
    monkeypatch.setattr(sys, "argv", ["publish", "fold"])
    before = publish.PAGE.read_text(encoding="utf-8")
    assert publish.main() == 1
    assert "fold has no result of its long form" in capsys.readouterr().err
    assert publish.PAGE.read_text(encoding="utf-8") == before


def test_a_changed_tree_is_told_from_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.folders.ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert report.commit() == ""
    told = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    (tmp_path / "file").write_text("as committed")
    for line in (["init", "-q"], ["add", "file"], [*told, "commit", "-qm", "First"]):
        subprocess.run(["git", *line], cwd=tmp_path, check=True)
    clean = report.commit()
    assert clean and not clean.endswith("+")
    (tmp_path / "file").write_text("changed")
    assert report.commit() == f"{clean}+"


def test_a_proof_that_was_ended_says_so_and_leaves_no_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_line, "RESULTS", tmp_path)

    assert command_line.conclude("latency", _options(tmp_path), _ended) == 130

    assert "latency was ended" in capsys.readouterr().err
    assert not (tmp_path / "latency.json").exists()


def test_what_a_long_form_told_is_kept_beside_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"commit": "abc1234", "figures": []}
    monkeypatch.setattr(publish, "DOCS", tmp_path)
    monkeypatch.setattr("deploy.local.folders.ROOT", tmp_path)
    monkeypatch.setattr(publish, "find", lambda name: told if name == "chaos" else None)
    monkeypatch.setattr(sys, "argv", ["publish", "chaos"])
    assert publish.main() == 0
    assert json.loads((tmp_path / "proof" / "chaos.json").read_text()) == told


def test_the_page_tells_of_each_run_that_is_kept_and_of_its_commit() -> None:
    page = (publish.DOCS / "proof.md").read_text(encoding="utf-8").splitlines()
    kept = list((publish.DOCS / "proof").glob("*.json"))
    assert {one.stem for one in kept} <= set(publish.KEPT)
    for one in kept:
        (row,) = [line for line in page if f"](proof/{one.name})" in line]
        assert json.loads(one.read_text())["commit"] in row, one.name


def test_what_is_no_figure_of_the_page_is_not_published(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["publish", "weather"])
    with pytest.raises(SystemExit):
        publish.main()
    assert "nothing that is published: weather; there are " in capsys.readouterr().err
