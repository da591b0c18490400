"""The form of the chaos that CI runs, seed by seed: what `python -m tests.proof chaos --short` does."""

from pathlib import Path

import pytest

from shared.delivery.points import POINTS
from tests.chaos.chaos import SHORT, seeds_of
from tests.chaos.faults import KINDS
from tests.chaos.plan import DRAWN, draw
from tests.chaos.reached import first_of
from tests.chaos.seed import run_seed


@pytest.mark.faults
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", seeds_of(SHORT))
async def test_nothing_is_lost_and_nothing_done_twice(run_folder: Path, seed: int) -> None:
    outcome = await run_seed(run_folder / f"chaos-{seed}", seed, SHORT)
    print(outcome.line())
    assert outcome.violations == []
    assert outcome.missed_points == [], "a point that nobody comes by is a defect of the plan"


def test_the_seeds_of_ci_come_by_every_point_and_every_kind() -> None:
    plans = [draw(seed, seconds=SHORT.seconds, count=SHORT.faults) for seed in seeds_of(SHORT)]
    faults = [fault for plan in plans for fault in plan]
    assert {fault.point for fault in faults if fault.point} == set(POINTS) and len(POINTS) >= 30
    assert {fault.kind for fault in faults} >= DRAWN
    assert len(faults) >= 60
    assert {first_of(point) for point in POINTS} - {None} <= KINDS.keys()


def test_a_plan_is_the_same_again() -> None:
    assert draw(7, seconds=40, count=40) == draw(7, seconds=40, count=40) != draw(8, seconds=40, count=40)
