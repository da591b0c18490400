"""Kafka's log is destroyed under load, and docs/operations/lose-kafka.md is followed: nothing lost, nothing mailed twice."""

from pathlib import Path

import pytest

from tests.recovery.stories import lose_kafka
from tests.scene import Scene

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


async def test_a_lost_log_costs_no_request_and_no_second_mail(run_folder: Path) -> None:
    scene = Scene(run_folder / "lose-kafka")
    try:
        outcome = await lose_kafka(scene, run_folder / "lose-kafka", seconds=6)
    finally:
        scene.close()

    assert not outcome.broken, "\n".join(outcome.broken[:40])
    assert (outcome.lost, outcome.mailed_twice) == (0, 0)
    assert outcome.accepted > 100
