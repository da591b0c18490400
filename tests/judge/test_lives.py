"""What counts as an act, and which lives there are."""

from typing import Any
from uuid import UUID

import pytest

from services.router.domain.life import OPEN, TRANSITIONS
from tests.judge.evidence import Record
from tests.judge.lives import IMPLIED, acts_in
from tests.judge.paths import OWNED, PATHS

NOON, LATER = "2026-11-24T11:00:00Z", "2026-11-24T11:00:01Z"


def told(name: str, at: str = NOON, **data: Any) -> Record:
    return Record("handling.v1", UUID(int=1), 1, f"fr.aiguilleur.handling.{name}.v1", {"at": at} | data)


@pytest.mark.parametrize("following", ["answered", "resolved", "usager_asked"])
def test_who_acts_at_once_takes_charge_by_it_or_somebody_did_in_the_same_batch(following: str) -> None:
    found = acts_in([told("taken_in_charge"), told(following)], [])
    assert (found["take_charge"], found[IMPLIED]) == (0, 1)


@pytest.mark.parametrize("life", [[told("taken_in_charge")], [told("taken_in_charge"), told("answered", LATER)]])
def test_who_takes_charge_and_acts_later_did_two_things(life: list[Record]) -> None:
    found = acts_in(life, [])
    assert (found["take_charge"], found[IMPLIED]) == (1, 0)


def test_the_checker_and_the_router_know_the_same_lives() -> None:
    assert {(state, move): after for state, moves in PATHS.items() for move, after in moves.items()} == TRANSITIONS
    assert OWNED == OPEN
