"""The five services on real Kafka, PostgreSQL and SMTP, hurt in every way we know; after healing the checker looks."""

import asyncio
import random

import asyncpg
import pytest

from deploy.local.town import Town
from shared.delivery.points import POINTS
from shared.events.topics import SERVICES
from tests.faults.forgery import publish_out_of_order, publish_poison
from tests.faults.load import Load
from tests.scene import Scene

pytestmark = [pytest.mark.faults, pytest.mark.timeout(420)]

_DIES_AT = {
    "consume": ("router", "notifier", "stats", "sla"),
    "local": ("intake",),
    "relay": ("intake", "router"),
    "letter": ("notifier",),
}
"""Which service is made to die at the points of a kind: one that reaches them under load."""


async def _under_load(scene: Scene, *, rate: float = 20) -> tuple[Load, "asyncio.Task[None]"]:
    load = Load(scene.town.url("intake"), rate=rate, history=scene.history)
    task = asyncio.create_task(load.run())
    await asyncio.sleep(1.0)
    return load, task


async def test_killed_at_random_and_at_every_named_point(scene: Scene) -> None:
    load, posting = await _under_load(scene)
    kills = 0
    chance = random.Random(3)
    for service in chance.sample(SERVICES, k=len(SERVICES)):
        await asyncio.sleep(chance.uniform(0.1, 0.6))
        scene.town.kill(service)
        await asyncio.to_thread(scene.town.start, service)
        kills += 1
    not_reached = []
    for point in POINTS:
        for service in _DIES_AT[point.split(".")[0]]:
            if not await _die_at(scene.town, service, point, nth=chance.randint(1, 4)):
                not_reached.append(f"{service} {point}")
            kills += 1
    load.stop()
    await posting
    assert not_reached == []
    await scene.heal_and_check(kills=kills)


async def _die_at(town: Town, service: str, point: str, *, nth: int) -> bool:
    """Restart a service so that it dies at a named point; start it again. Tell whether it died."""
    town.kill(service)
    town.extra = {"AIGUILLEUR_KILL_AT": f"{point}:{nth}"}
    await asyncio.to_thread(town.launch, service)
    town.extra = {}
    died = False
    for _ in range(200):
        if town.processes[service].exit_code is not None:
            died = True
            break
        await asyncio.sleep(0.05)
    if not died:
        town.kill(service)
    await asyncio.to_thread(town.start, service)
    return died


async def test_servers_die_and_come_back(scene: Scene) -> None:
    load, posting = await _under_load(scene)
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
    load.stop()
    await posting
    await scene.heal_and_check(kills=0 + 2)


async def test_mail_server_refuses_then_takes(scene: Scene) -> None:
    scene.sink.behave(refuse=451)
    load, posting = await _under_load(scene)
    await asyncio.sleep(3)
    scene.sink.behave(drop_connection=True)
    await asyncio.sleep(2)
    load.stop()
    await posting
    await scene.heal_and_check(kills=1)


async def test_duplicates_gaps_poison_and_giants(scene: Scene) -> None:
    load, posting = await _under_load(scene)
    forged = await publish_out_of_order(scene.kafka.bootstrap)
    poison, giant = await publish_poison(scene.kafka.bootstrap)
    scene.history.forged |= {forged, giant}
    await asyncio.sleep(2)
    load.stop()
    await posting
    await scene.heal_and_check(kills=0)
    database = await asyncpg.connect(scene.town.admin_dsn)
    try:
        life = await database.fetchrow("SELECT status FROM router.assignment WHERE request_id = $1", forged)
        gap = await database.fetchrow("SELECT why, resolution FROM router.parked WHERE request_id = $1", forged)
        parked = await database.fetchval("SELECT count(*) FROM router.parked WHERE resolved_at IS NULL")
    finally:
        await database.close()
    assert life is not None
    assert life["status"] == "withdrawn"  # the late first event let the early second one through
    assert gap is None or (gap["why"], gap["resolution"]) == ("gap", "taken")
    assert parked == poison
