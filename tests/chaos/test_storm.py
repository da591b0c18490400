"""R8's figures: an overload that was none, and what was taken too late, are misses."""

import uuid

from tests.chaos.overload import Flood
from tests.chaos.storm import figures


def _flood(*, posted: int, in_time: int, late: int = 0, wrong: int = 0, unknown: int = 0) -> Flood:
    accepted = {uuid.uuid4() for _ in range(in_time + late)}
    return Flood(accepted, posted, in_time, posted - in_time - late, wrong, unknown, seconds=1.0)


_CALM = _flood(posted=100, in_time=100)


def _met(storm: Flood) -> list[bool]:
    return [figure.met for figure in figures(_CALM, storm)]


def test_an_overload_of_which_four_fifths_are_taken_meets_the_goals() -> None:
    assert _met(_flood(posted=500, in_time=80)) == [True] * 4
    assert _met(_flood(posted=495, in_time=80)) == [True] * 4, "a hundredth may be missing"


def test_a_client_that_offers_less_proves_nothing() -> None:
    assert _met(_flood(posted=494, in_time=80)) == [False, True, True, True]


def test_what_is_taken_after_the_storm_does_not_count() -> None:
    assert _met(_flood(posted=500, in_time=79, late=20)) == [True, False, True, True]


def test_an_answer_that_is_wrong_and_one_that_is_missing_are_seen() -> None:
    assert _met(_flood(posted=500, in_time=80, wrong=1, unknown=1)) == [True, True, False, False]
