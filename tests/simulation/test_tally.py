"""A long run that was broken off, and what a run has to have seen."""

from functools import cache
from pathlib import Path

import pytest

from tests.simulation import proof
from tests.simulation.mishaps import IMMEDIATE, Mishaps
from tests.simulation.tally import Tally


@pytest.mark.parametrize(("now", "goes_on"), [("abc", True), ("def", False), ("abc+", False), ("", False)])
def test_it_goes_on_where_the_same_tree_was(tmp_path: Path, now: str, *, goes_on: bool) -> None:
    tally = proof.run_seeds(1, 4)
    tally.broken[3] = ["9 lost mail"]
    tally.save(tmp_path / "kept.json", commit="abc")
    assert Tally.find(tmp_path / "kept.json", commit=now) == (tally if goes_on else None)


def test_without_a_file_it_begins_anew(tmp_path: Path) -> None:
    assert Tally.find(tmp_path / "kept.json", commit="abc") is None


def test_in_two_parts_it_comes_to_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "ROUND", 1)
    kept = tmp_path / "kept.json"
    proof.seeds(1, 10, so_far=kept, commit="abc")
    assert proof.seeds(1, 20, so_far=kept, commit="abc") == proof.seeds(1, 20)


@cache
def missing(seed: int) -> list[str]:
    return proof.run_seeds(seed, seed + 1).missing()


@pytest.mark.parametrize("kind", sorted(IMMEDIATE))
def test_a_fault_that_does_nothing_is_missed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> None:
        return

    seed = next(seed for seed in range(1, 50) if kind not in missing(seed))
    monkeypatch.setattr(Mishaps, f"_{kind}", nothing)
    assert kind in proof.run_seeds(seed, seed + 1).missing()
