"""What turns `/live` red, and what must not, on a real Kafka and PostgreSQL."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from shared.delivery.consumer import Consumer
from shared.delivery.producer import Producer
from shared.delivery.relay import Relay
from shared.delivery.watchdog import Watchdog
from tests.delivery.bench import Bench
from tests.delivery.log import consuming, equals, is_zero, pending, publish, relaying, say, until
from tests.delivery.sample import added

pytestmark = [pytest.mark.integration, pytest.mark.slow]
PATIENCE = 3.0


@asynccontextmanager
async def watching(
    bench: Bench, dsn: str, broker: KafkaServer, consumer: Consumer, relay: Relay | None = None
) -> AsyncIterator[Watchdog]:
    """Run a watchdog with little patience."""
    relay = relay or Relay("notifier", dsn=dsn, pool=bench.pool, producer=Producer(broker.bootstrap, client_id="test"))
    watchdog = Watchdog(bench.shell, consumer, relay, patience_seconds=PATIENCE, join_seconds=2 * PATIENCE)
    task = asyncio.create_task(watchdog.serve())
    try:
        yield watchdog
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def assigned(consumer: Consumer) -> bool:
    return bool(consumer.connected and consumer.assigned())


async def red(watchdog: Watchdog) -> bool:
    return watchdog.fault() is not None


async def is_green(watchdog: Watchdog) -> bool:
    return watchdog.fault() is None


async def green_for(watchdog: Watchdog, seconds: float) -> bool:
    """Whether the watchdog says nothing for so long."""
    for _ in range(int(seconds / 0.1)):
        if (fault := watchdog.fault()) is not None:
            print(f"red: {fault}")
            return False
        await asyncio.sleep(0.1)
    return True


async def test_a_first_batch_that_fails_for_ever_turns_red(
    bench: Bench, database: str, empty_log: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> dict[Any, int]:
        raise RuntimeError("nobody expected this")

    monkeypatch.setattr(bench.shell, "take", broken)
    async with consuming(bench, empty_log) as consumer, watching(bench, database, empty_log, consumer) as watchdog:
        await until(lambda: assigned(consumer))
        assert await green_for(watchdog, PATIENCE + 2)  # nothing waits
        await publish(empty_log, added(1, "a"))

        await until(lambda: red(watchdog), seconds=PATIENCE + 5)
        assert "nothing taken from Kafka" in (watchdog.fault() or "")

        monkeypatch.undo()
        await until(lambda: is_green(watchdog))


async def test_a_fetcher_that_hangs_without_an_error_turns_red(
    bench: Bench, database: str, empty_log: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.sleep(3600)

    mine = uuid.uuid4()
    async with consuming(bench, empty_log) as consumer, watching(bench, database, empty_log, consumer) as watchdog:
        await publish(empty_log, added(1, "a", mine))
        await until(lambda: equals(bench.heard(mine), ("a",)))
        monkeypatch.setattr(consumer.subscriber.consumer._client, "send", hang)
        await asyncio.sleep(1)  # a request under way is still answered
        await publish(empty_log, added(2, "b", mine))

        await until(lambda: red(watchdog), seconds=PATIENCE + 5)

    assert await bench.heard(mine) == ("a",)


async def test_a_consumer_that_never_hears_of_its_group_turns_red(
    bench: Bench, database: str, empty_log: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = uuid.uuid4()
    await publish(empty_log, added(1, "a", mine))
    async with consuming(bench, empty_log):
        await until(lambda: equals(bench.heard(mine), ("a",)))
    await publish(empty_log, added(2, "b", mine))

    async def hang(*_: object, **__: object) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(GroupCoordinator, "_send_req", hang)
    async with consuming(bench, empty_log) as consumer, watching(bench, database, empty_log, consumer) as watchdog:
        assert await green_for(watchdog, PATIENCE + 1)
        await until(lambda: red(watchdog), seconds=2 * PATIENCE + 5)
        assert "the group says nothing" in (watchdog.fault() or "")


async def test_a_relay_that_stands_still_turns_red(
    bench: Bench, database: str, empty_log: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        consuming(bench, empty_log) as consumer,
        relaying(bench, database, empty_log) as relay,
        watching(bench, database, empty_log, consumer, relay) as watchdog,
    ):
        await say(bench, uuid.uuid4(), "a")
        await until(lambda: is_zero(pending(bench)))
        assert await green_for(watchdog, PATIENCE + 1)

        async def hang(_records: Any) -> None:
            await asyncio.sleep(3600)

        monkeypatch.setattr(relay._producer, "send", hang)
        await say(bench, uuid.uuid4(), "b")
        await until(lambda: red(watchdog), seconds=PATIENCE + 5)

        assert "nothing published" in (watchdog.fault() or "")


async def test_kafka_and_postgresql_away_leave_it_green(
    bench: Bench, database: str, empty_log: KafkaServer, postgres_server: PostgresServer
) -> None:
    mine = uuid.uuid4()
    async with (
        consuming(bench, empty_log) as consumer,
        relaying(bench, database, empty_log) as relay,
        watching(bench, database, empty_log, consumer, relay) as watchdog,
    ):
        watchdog._patience = 10.0  # as 15 s: longer than the time that a server has to answer
        await publish(empty_log, added(1, "a", mine))
        await until(lambda: equals(bench.heard(mine), ("a",)))
        await until(lambda: is_zero(pending(bench)))

        postgres_server.pause()
        await publish(empty_log, added(2, "b", mine))
        green = await green_for(watchdog, 14)
        postgres_server.resume()
        assert green
        await until(lambda: equals(bench.heard(mine), ("a", "b")), seconds=40)

        empty_log.pause()
        await say(bench, mine, "while Kafka is away")
        green, told = await green_for(watchdog, 14), watchdog.kafka_silent
        empty_log.resume()
        assert green and told  # `/ready` says so, within seconds, also when it is silent for this service alone
        await until(lambda: is_zero(pending(bench)), seconds=60)
        assert await green_for(watchdog, 8)
        assert not watchdog.kafka_silent
