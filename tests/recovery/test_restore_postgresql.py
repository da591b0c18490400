"""PostgreSQL ends under load and is restored to an earlier time, and docs/operations/restore-postgresql.md is followed."""

from pathlib import Path

import pytest

from tests.recovery.stories import restore_postgresql
from tests.scene import Scene

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize(("escrow", "stopped"), [(True, False), (False, True)])
async def test_what_was_told_since_is_known_again(run_folder: Path, *, escrow: bool, stopped: bool) -> None:
    folder = run_folder / f"restore-{escrow}"
    scene = Scene(folder)
    try:
        outcome = await restore_postgresql(scene, folder, seconds=9, escrow=escrow, stopped=stopped)
    finally:
        scene.close()

    assert not outcome.broken, "\n".join(outcome.broken[:40])
    assert (outcome.lost, outcome.mailed_twice) == (0, 0)
    assert outcome.accepted > 100
    assert outcome.forgotten, "all that was accepted had reached the log: nothing was tried"
