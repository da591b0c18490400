"""The sample service's consumer and relay on a real Kafka, and what the log holds."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.kafka import KafkaServer
from shared.delivery.consumer import Consumer
from shared.delivery.producer import Producer
from shared.delivery.relay import Relay
from shared.delivery.values import Input, RawRecord
from tests.delivery.bench import Bench
from tests.delivery.sample import Say


@asynccontextmanager
async def consuming(bench: Bench, broker: KafkaServer) -> AsyncIterator[Consumer]:
    """Run the service's consumer in a group of its own."""
    consumer = Consumer(bench.shell, bootstrap=broker.bootstrap, instance="0", group=f"test-{uuid.uuid4()}")
    task = asyncio.create_task(consumer.serve())
    try:
        yield consumer
    finally:
        await consumer.stop()
        task.cancel()
        await consumer.ends.close()


@asynccontextmanager
async def relaying(bench: Bench, dsn: str, broker: KafkaServer) -> AsyncIterator[Relay]:
    """Run the service's relay."""
    producer = Producer(broker.bootstrap, client_id="test")
    relay = Relay("notifier", dsn=dsn, pool=bench.pool, producer=producer)
    bench.shell.on_commit = relay.wake
    task = asyncio.create_task(relay.serve())
    try:
        yield relay
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await producer.close()


async def publish(broker: KafkaServer, *records: RawRecord) -> None:
    """Write records as their services' relays do."""
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await producer.start()
    for raw in records:
        await producer.send_and_wait(raw.topic, raw.value, key=raw.key, headers=list(raw.headers))
    await producer.stop()


async def logged(broker: KafkaServer, topic: str) -> list[tuple[str, dict[str, bytes]]]:
    """Everything on a topic: keys and headers, in the order of each partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap)
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in await _partitions(consumer, topic)]
        ends = await consumer.end_offsets(places)
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        found: list[tuple[str, dict[str, bytes]]] = []
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [((one.key or b"").decode(), dict(one.headers)) for one in records]
        return found
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    await consumer._client.add_topic(topic)
    return sorted(consumer.partitions_for_topic(topic) or {0})


async def until(true: Callable[[], Any], *, seconds: float = 45) -> None:
    """Return when an awaited condition holds."""
    async with asyncio.timeout(seconds):
        while not await true():
            await asyncio.sleep(0.05)


async def say(bench: Bench, request_id: UUID, *letters: str) -> None:
    for letter in letters:
        await bench.shell.run([Input(request_id, "rivemont", Say(letter))], lane="local")


async def pending(bench: Bench) -> int:
    return int(await bench.pool.fetchval("SELECT count(*) FROM notifier.outbox WHERE published_at IS NULL"))


async def is_zero(count: Any) -> bool:
    return bool(await count == 0)


async def equals(awaited: Any, expected: object) -> bool:
    return bool(await awaited == expected)


async def has(awaited: Any, expected: int) -> bool:
    return len(await awaited) == expected
