"""What can be judged to the letter when nothing else breaks: an orderly stop, records out of order, poison."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from shared.events.topics import SERVICES, consumed_by
from tests.chaos.crowd import crowd
from tests.chaos.forgery import out_of_order, poison, publish
from tests.scene import Scene

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
_READ_REQUESTS = tuple(service for service in SERVICES if "requests.v1" in {topic.name for topic in consumed_by(service)})


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
        await publish(kafka, "requests.v1", [forged.early, forged.early])
        await _until_the_gap_is_seen(database, forged.request_id)
        await publish(kafka, "requests.v1", [forged.late, forged.late])
        await publish(kafka, "requests.v1", spoilt.records)
        await asyncio.sleep(2)
    await scene.heal_and_check()
    life = await database.fetchval("SELECT status FROM router.assignment WHERE request_id = $1", forged.request_id)
    assert life == "withdrawn"  # the late first event let the early second one through
    for service in _READ_REQUESTS:
        rows = await database.fetch(f"SELECT * FROM {service}.parked ORDER BY id")
        held = [(row["why"], row["resolution"]) for row in rows if row["request_id"] == forged.request_id]
        assert held == [("gap", "taken")], service
        assert sum(1 for row in rows if row["resolved_at"] is None) == len(spoilt.records), service


async def _until_the_gap_is_seen(database: asyncpg.Connection, request_id: UUID) -> None:
    """Every service that reads the topic parks what came too early within a second; given two, on a busy machine."""
    until = time.monotonic() + 2
    for service in _READ_REQUESTS:
        seen = f"SELECT 1 FROM {service}.parked WHERE request_id = $1 AND why = 'gap' AND resolved_at IS NULL"
        while not await database.fetchval(seen, request_id):
            assert time.monotonic() < until, f"{service} has not seen the gap"
            await asyncio.sleep(0.02)
