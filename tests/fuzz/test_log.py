"""Hostile records on a real Kafka, to the five services at work: the town goes on while they are put aside."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.clock import SystemClock
from shared.events.topics import SERVICES, dead_letters
from shared.identifiers import RequestIds
from tests.fuzz.kind import CANARY
from tests.fuzz.kinds import BROKER_TAKES
from tests.fuzz.matrix import PAIRS, kinds_for
from tests.fuzz.raw_log import packed_by_zstd, publish, publish_batch, with_a_bad_name
from tests.fuzz.records import TOPIC, Good, good
from tests.scene import Scene

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
_TOPICS: Final = tuple(topic for name, topic in TOPIC.items() if name != "queues.v1")
_IDS: Final = RequestIds(SystemClock())
_LONGEST_SECONDS: Final = 1.0
"""R5: how much later than usual a neighbour may be. One of all may meet a pause of the machine's disk: three times as long."""
_LONGEST_BESIDE_HEAVY_SECONDS: Final = 6.0
"""While five services on two cores read records of a megabyte, or of 100,000 headers, one after the other."""


@pytest.fixture(scope="module")
async def scene(run_folder: Path) -> AsyncIterator[Scene]:
    opened = Scene(run_folder / "scenes" / "hostile")
    opened.town.extra = {f"AIGUILLEUR_{service.upper()}_PARKED_LIMIT": "1000000" for service in SERVICES}
    try:
        await opened.open()
        yield opened
    finally:
        opened.close()


@asynccontextmanager
async def neighbours(scene: Scene) -> AsyncIterator[list[UUID]]:
    """Somebody hands over a request every 50 ms."""
    accepted: list[UUID] = []

    async def hand_over() -> None:
        async with httpx.AsyncClient(trust_env=False, base_url=scene.town.url("intake")) as http:
            for number in range(1_000_000):
                body = {"authority": "rivemont", "service": "voirie", "email": f"u{number}@courriel.example", "text": "Bonjour."}
                answer = await http.post("/v1/requests", json=body)
                accepted.append(UUID(answer.raise_for_status().json()["request_id"]))
                await asyncio.sleep(0.05)

    handing = asyncio.create_task(hand_over())
    try:
        yield accepted
    finally:
        handing.cancel()
        with suppress(asyncio.CancelledError):
            await handing


async def delays(scene: Scene, requests: list[UUID]) -> list[float]:
    """How long after its acceptance each request's mail to the service was handed over, in seconds."""
    database = await asyncpg.connect(scene.town.admin_dsn)
    try:
        rows = await database.fetch(
            """SELECT extract(epoch FROM max(mail.created_at) - min(came.created_at))::float8
               FROM intake.outbox AS came JOIN notifier.outbox AS mail USING (request_id)
               WHERE request_id = ANY($1::uuid[]) AND mail.sequence IS NOT NULL GROUP BY request_id""",
            requests,
        )
        return sorted(row[0] for row in rows)
    finally:
        await database.close()


async def test_every_hostile_record_is_put_aside_while_the_town_goes_on(scene: Scene) -> None:
    kafka = scene.town.kafka
    producer = AIOKafkaProducer(bootstrap_servers=kafka, max_request_size=BROKER_TAKES)
    await producer.start()
    async with neighbours(scene) as accepted:
        await asyncio.sleep(2)
        calm = len(accepted)
        await _publish_kinds(producer, kafka, heavy=False)
        light = len(accepted)
        await _publish_kinds(producer, kafka, heavy=True)
        await asyncio.sleep(1)
    await producer.stop()
    await scene.town.settle(timeout_seconds=60)

    usual, lightly, heavily = [await delays(scene, some) for some in (accepted[:calm], accepted[calm:light], accepted[light:])]
    assert len(usual) + len(lightly) + len(heavily) == len(accepted), "a neighbour has no mail"
    normal = usual[len(usual) // 2]
    for late, longest in ((lightly[-2], _LONGEST_SECONDS), (lightly[-1], 3 * _LONGEST_SECONDS)):
        assert late - normal <= longest, f"usual {normal:.3f} s, beside hostile records {lightly[-3:]}"
    assert heavily[-1] - normal <= _LONGEST_BESIDE_HEAVY_SECONDS, f"usual {normal:.3f} s, beside heavy records {heavily[-3:]}"
    await _all_is_put_aside(scene)
    await _all_are_well(scene)


async def _publish_kinds(producer: AIOKafkaProducer, kafka: str, *, heavy: bool) -> None:
    """Write each hostile record of each topic, over all partitions."""
    for topic in _TOPICS:
        kinds = [kind for kind in kinds_for(topic, heavy=True) if kind.heavy == heavy]
        for number, kind in enumerate(kinds):
            await publish(producer, kafka, kind.make(good(topic, _IDS.new())), number % topic.partitions)
            await asyncio.sleep(0.01)


async def _all_is_put_aside(scene: Scene) -> None:
    """Each service has parked what it must, and Kafka's tooling finds a copy of each."""
    database = await asyncpg.connect(scene.town.admin_dsn)
    consumer = AIOKafkaConsumer(bootstrap_servers=scene.town.kafka)
    await consumer.start()
    try:
        for service, topic in PAIRS:
            kinds = Counter(
                "both" if len(kind.outcomes) > 1 else next(iter(kind.outcomes)) for kind in kinds_for(topic, heavy=True)
            )
            parked = await database.fetchval(f"SELECT count(*) FROM {service}.parked WHERE topic = $1", topic.name)
            refused = kinds["taken"] + kinds["refused"] if topic.name == "commands.v1" else 0  # about requests that nobody knows
            least = kinds["parked"] + refused
            assert least <= parked <= least + kinds["both"], f"{service} parked {parked} of {topic.name}, wanted {kinds}"
            place = TopicPartition(dead_letters(topic, service), 0)
            assert (await consumer.end_offsets([place]))[place] == parked, f"copies of {service}, {topic.name}"
    finally:
        await consumer.stop()
        await database.close()


async def _all_are_well(scene: Scene) -> None:
    """Alive, at work, and silent about what the records say."""
    async with httpx.AsyncClient(trust_env=False) as http:
        for service in SERVICES:
            for path, wanted in (("/live", "ok\n"), ("/ready", "ok\n")):
                assert (await http.get(scene.town.url(service) + path)).text == wanted, service
            log = scene.town.processes[service].log_file.read_text(errors="replace")
            assert CANARY not in log, f"{service}'s log repeats what a record says"


@pytest.mark.parametrize("spoil", [with_a_bad_name, packed_by_zstd])
async def test_what_no_reader_in_python_expects_holds_up_nobody(scene: Scene, spoil: Callable[[Good], bytes]) -> None:
    """Of each topic a batch as clients in other languages send it, with a good record of another request behind it."""
    followers = {}
    producer = AIOKafkaProducer(bootstrap_servers=scene.town.kafka)
    await producer.start()
    for topic in _TOPICS:
        if topic.name != "commands.v1":
            spoilt, follower = good(topic, _IDS.new()), good(topic, _IDS.new())
            await publish_batch(scene.town.kafka, topic.name, 2, spoil(spoilt))
            await publish(producer, scene.town.kafka, follower, 2)
            followers[topic.name] = (spoilt, follower)
    await producer.stop()
    began = time.monotonic()
    await scene.town.settle(timeout_seconds=20)

    assert time.monotonic() - began < 10
    database = await asyncpg.connect(scene.town.admin_dsn)
    try:
        for service, topic in PAIRS:
            for one in followers.get(topic.name, ()):
                if topic.sequenced:
                    sql = f"SELECT seen_{topic.name.replace('.', '_')} FROM {service}.request WHERE request_id = $1"
                    assert await database.fetchval(sql, one.request_id) == 1, (service, topic.name)
                else:
                    sql = f"SELECT count(*) FROM {service}.inbox WHERE source = $1"
                    assert await database.fetchval(sql, f"/of/{one.request_id}") == 1, (service, topic.name)
    finally:
        await database.close()
