"""One fault at a time, the short form whole, by its entry."""

from pathlib import Path
from typing import Final

import pytest

from tests.chaos.resilience import prove
from tests.proof.options import Options
from tests.proof.report import Figure

pytestmark = [pytest.mark.faults, pytest.mark.timed, pytest.mark.timeout(400)]
_WIDER: Final[dict[str, float]] = {
    "seconds from kill -9 of a service to its next record": 9,
    "seconds until an event that came too early is seen as a gap": 4,
    "seconds until a consumer that hangs in a living process is told": 25,
    "times the peak that was offered": 3,
    "goodput at five times the peak, of the peak": 0.3,
}
"""Goals that depend on how quick the machine is and who else uses it, and what is asked of them here: a service starts in 3 s on
a machine that is free, and in 6 s beside others; the client of an overload shares the cores with those that it overloads."""


def _holds(figure: Figure) -> bool:
    for what, bound in _WIDER.items():
        if figure.what.startswith(what):
            return figure.value <= bound if figure.goal.startswith("<=") else figure.value >= bound
    return figure.met


async def test_all_is_well_again_after_each_fault(run_folder: Path) -> None:
    folder = run_folder / "resilience"
    folder.mkdir()

    figures = await prove(Options(folder, short=True))

    assert {figure.id for figure in figures} == {"R0", "R1", "R2", "R3", "R5", "R6", "R8"}
    missed = [f"{figure.id} {figure.what}: {figure.value:.3g}, goal {figure.goal}" for figure in figures if not _holds(figure)]
    assert not missed, "\n".join(missed)
