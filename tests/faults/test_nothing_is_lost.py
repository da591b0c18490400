"""The five services on real Kafka, PostgreSQL and SMTP, hurt in every way we know; after healing the checker looks.

The tests that kill a server have a town of their own. The others share one, with its history: the orderly stop is the
first of them, as it allows no mail to come twice; the poison is the last, as what is parked stays parked.
"""

import asyncio
import random
import time
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from shared.events.topics import SERVICES, consumed_by
from tests.faults.crowd import crowd
from tests.faults.forgery import out_of_order, poison, publish
from tests.faults.kills import die_at_every_point, points_of
from tests.proof.delays import climbed_to_the_top
from tests.proof.evidence import History
from tests.scene import Scene

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

_READ_REQUESTS = tuple(service for service in SERVICES if "requests.v1" in {topic.name for topic in consumed_by(service)})


def _done(history: History, what: str) -> int:
    return sum(1 for act in history.acts or [] if (act.what, act.outcome) == (what, "done"))


async def test_killed_at_random_and_at_every_named_point(scene: Scene) -> None:
    town, chance = scene.town, random.Random(3)
    async with crowd(scene, rate=8):
        for service in chance.sample(SERVICES, k=len(SERVICES)):
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            town.kill(service)
            await asyncio.to_thread(town.start, service)
        town.set_clock(town.now() + timedelta(days=6), speed=3 * 3600)  # warnings and escalations come while all die
        dying = [die_at_every_point(town, service, chance=random.Random(service)) for service in SERVICES]
        not_reached = await asyncio.gather(*dying)
        town.set_clock(town.now(), speed=1.0)
    assert [point for points in not_reached for point in points] == []
    for what in ("take_charge", "answer", "transfer", "resolve", "add", "withdraw"):
        assert _done(scene.history, what) > 0, f"nobody came to {what}"
    evidence = await scene.heal_and_check(kills=1 + len(points_of("notifier")))
    assert climbed_to_the_top(evidence) > 0


async def test_servers_die_and_come_back(scene: Scene) -> None:
    async with crowd(scene):
        scene.kafka.kill()
        await asyncio.sleep(3)
        await asyncio.to_thread(scene.kafka.restart)
        await asyncio.sleep(2)
        await asyncio.to_thread(scene.postgres.restart)
        await asyncio.sleep(2)
        scene.postgres.kill()
        await asyncio.sleep(1)
        await asyncio.to_thread(scene.postgres.restart)
        await asyncio.sleep(1)
        scene.kafka.pause()
        await asyncio.sleep(5)
        scene.kafka.resume()
        await asyncio.sleep(2)
    await scene.heal_and_check(kills=2)


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
    assert [act for act in scene.history.acts or [] if act.outcome == "unknown"] == []
    await scene.heal_and_check(kills=0)


async def test_mail_server_refuses_then_takes(town_scene: Scene) -> None:
    scene = town_scene
    scene.sink.behave(refuse=451)
    async with crowd(scene):
        await asyncio.sleep(3)
        scene.sink.behave(drop_connection=True)
        await asyncio.sleep(2)
        scene.sink.behave()
        await asyncio.sleep(2)
    await scene.heal_and_check(kills=1)


async def test_duplicates_gaps_poison_and_giants(town_scene: Scene) -> None:
    scene = town_scene
    kafka = scene.kafka.bootstrap
    database = await asyncpg.connect(scene.town.admin_dsn)
    try:
        async with crowd(scene):
            forged = out_of_order()
            spoilt = poison()
            scene.history.forged |= {forged.request_id, spoilt.about}
            await publish(kafka, "requests.v1", [forged.early, forged.early])
            await _until_the_gap_is_seen(database, forged.request_id)
            await publish(kafka, "requests.v1", [forged.late, forged.late])
            await publish(kafka, "requests.v1", spoilt.records)
            await asyncio.sleep(2)
        await scene.heal_and_check(kills=0)
        life = await database.fetchval("SELECT status FROM router.assignment WHERE request_id = $1", forged.request_id)
        assert life == "withdrawn"  # the late first event let the early second one through
        for service in _READ_REQUESTS:
            rows = await database.fetch(f"SELECT * FROM {service}.parked ORDER BY id")
            held = [(row["why"], row["resolution"]) for row in rows if row["request_id"] == forged.request_id]
            assert held == [("gap", "taken")], service
            assert sum(1 for row in rows if row["resolved_at"] is None) == len(spoilt.records), service
    finally:
        await database.close()


async def _until_the_gap_is_seen(database: asyncpg.Connection, request_id: UUID) -> None:
    """Every service that reads the topic parks what came too early within a second; given two, on a busy machine."""
    until = time.monotonic() + 2
    for service in _READ_REQUESTS:
        seen = f"SELECT 1 FROM {service}.parked WHERE request_id = $1 AND why = 'gap' AND resolved_at IS NULL"
        while not await database.fetchval(seen, request_id):
            assert time.monotonic() < until, f"{service} has not seen the gap"
            await asyncio.sleep(0.02)
