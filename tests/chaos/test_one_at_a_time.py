"""What can be judged to the letter when nothing else breaks: an orderly stop, records out of order, poison."""

import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.events.topics import SERVICES
from tests.chaos.crowd import crowd
from tests.chaos.forgery import out_of_order, poison, publish
from tests.chaos.intruders import seconds_until_parked
from tests.chaos.town import READERS
from tests.scene import Scene

pytestmark = [pytest.mark.faults, pytest.mark.timed, pytest.mark.timeout(240)]
_SEEN_SECONDS = 2.0
"""A gap is seen within a second; given two, on a busy machine."""


@pytest.fixture
async def database(town_scene: Scene) -> AsyncIterator[asyncpg.Connection]:
    """The town's database."""
    connection = await asyncpg.connect(town_scene.town.admin_dsn)
    yield connection
    await connection.close()


async def test_an_orderly_stop_of_each_service_loses_nothing(town_scene: Scene) -> None:
    scene = town_scene
    async with crowd(scene):
        for service in SERVICES:
            process = scene.town.processes[service]
            await asyncio.to_thread(process.stop)
            assert process.exit_code == 0, f"{service}: {process.exit_code} {process.log_tail()}"
            await asyncio.sleep(0.5)
            await asyncio.to_thread(scene.town.start, service)
    assert scene.history.unknown == 0
    unknown = [act for act in scene.history.acts or [] if act.outcome == "unknown"]
    assert [act for act in unknown if "sont effacées" not in act.told] == []  # erased meanwhile, and the page says so
    await scene.heal_and_check()


async def test_duplicates_gaps_poison_and_giants(town_scene: Scene, database: asyncpg.Connection) -> None:
    scene, kafka = town_scene, town_scene.kafka.bootstrap
    async with crowd(scene):
        forged, spoilt = out_of_order(), poison()
        scene.history.forged |= {forged.request_id} | spoilt.about
        began = time.monotonic()
        await publish(kafka, "requests.v1", [forged.early, forged.early])
        parked = await seconds_until_parked(database.fetchval, forged.request_id, since=began, give_up_seconds=_SEEN_SECONDS)
        assert max(parked.values()) < _SEEN_SECONDS, parked
        await publish(kafka, "requests.v1", [forged.late, forged.late])
        await publish(kafka, "requests.v1", spoilt.records)
        await asyncio.sleep(2)
    await scene.heal_and_check()
    life = await database.fetchval("SELECT status FROM router.assignment WHERE request_id = $1", forged.request_id)
    assert life == "withdrawn"  # the late first event let the early second one through
    for service in READERS:
        rows = await database.fetch(f"SELECT * FROM {service}.parked ORDER BY id")
        held = [(row["why"], row["resolution"]) for row in rows if row["request_id"] == forged.request_id]
        assert held == [("gap", "taken")], service
        assert sum(1 for row in rows if row["resolved_at"] is None) == len(spoilt.records), service
