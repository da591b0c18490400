"""The relay between a real PostgreSQL and a producer that a test holds in its hand."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest

from shared.delivery import relay as delivery_relay
from shared.delivery.errors import Unavailable
from shared.delivery.parking import republish
from shared.delivery.producer import Producer, Publishable
from shared.delivery.relay import DRAIN_SECONDS, Relay
from tests.delivery.bench import Bench
from tests.delivery.log import is_zero, pending, say, until

pytestmark = pytest.mark.integration


class Hand(Producer):
    """Takes what it is given into its hand, once it is `open`; until then it lets the relay wait."""

    def __init__(self, *, is_open: bool = True) -> None:
        super().__init__("nowhere:9", client_id="test")
        self.open = asyncio.Event()
        self.offered = asyncio.Event()
        self.keys: list[str] = []
        if is_open:
            self.open.set()

    async def send(self, records: Sequence[Publishable]) -> None:
        self.offered.set()
        await self.open.wait()
        self.keys += [(key or b"").decode() for _, key, _, _ in records]


@asynccontextmanager
async def relaying(bench: Bench, dsn: str, hand: Hand) -> AsyncIterator[None]:
    relay = Relay("notifier", dsn=dsn, pool=bench.pool, producer=hand)
    bench.shell.on_commit = relay.wake
    task = asyncio.create_task(relay.serve())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_commits_late_under_a_smaller_number_is_published_too(bench: Bench, database: str) -> None:
    late, early, hand = uuid.uuid4(), uuid.uuid4(), Hand()
    insert = (
        "INSERT INTO notifier.outbox (request_id, topic, key, sequence, type, at, value) "
        "VALUES ($1, 'notifications.v1', $2, 1, 'x', now(), '{}')"
    )
    async with relaying(bench, database, hand), bench.pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute(insert, late, str(late).encode())  # its number is drawn, its commit is not there yet
        await say(bench, early, "m1")
        await until(lambda: is_zero(pending(bench)))
        await transaction.commit()
        await until(lambda: is_zero(pending(bench)), seconds=5)

    assert hand.keys == [str(early), str(late)]


async def test_a_relay_that_dies_before_kafka_has_it_leaves_it_to_the_next(bench: Bench, database: str) -> None:
    mine, dying, following = uuid.uuid4(), Hand(is_open=False), Hand()
    async with relaying(bench, database, dying):
        await say(bench, mine, "m1")
        await dying.offered.wait()
    async with relaying(bench, database, following):
        await until(lambda: is_zero(pending(bench)), seconds=5)

    assert following.keys == [str(mine)]


async def test_what_waits_is_sent_in_the_order_of_its_commits(bench: Bench, database: str) -> None:
    requests, hand = [uuid.uuid4() for _ in range(5)], Hand()
    for one in requests:
        await say(bench, one, "m1")
    async with relaying(bench, database, hand):
        await until(lambda: is_zero(pending(bench)))

    assert hand.keys == [str(one) for one in requests]


async def test_a_relay_is_drained_when_its_last_event_is_published(bench: Bench, database: str) -> None:
    hand = Hand(is_open=False)
    relay = Relay("notifier", dsn=database, pool=bench.pool, producer=hand)
    task = asyncio.create_task(relay.serve())
    while not relay.leads:
        await asyncio.sleep(0.02)
    await say(bench, uuid.uuid4(), "m1")

    draining = asyncio.create_task(relay.drain())
    await hand.offered.wait()
    assert not draining.done()
    hand.open.set()
    await draining

    assert await is_zero(pending(bench))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_relay_that_cannot_publish_keeps_nobody_from_stopping(bench: Bench, database: str) -> None:
    relay = Relay("notifier", dsn=database, pool=bench.pool, producer=Hand())  # it was never started: another copy leads
    await say(bench, uuid.uuid4(), "m1")

    async with asyncio.timeout(DRAIN_SECONDS / 2):
        await relay.drain()

    assert not await is_zero(pending(bench))


async def test_what_a_log_had_that_is_lost_is_published_again_though_its_relay_stood_still(bench: Bench, database: str) -> None:
    told, under_way, hand = uuid.uuid4(), uuid.uuid4(), Hand()
    async with relaying(bench, database, hand):
        await say(bench, told, "m1")
        await until(lambda: is_zero(pending(bench)), seconds=5)
        hand.open.clear()
        hand.offered.clear()
        await say(bench, under_way, "m1")
        await hand.offered.wait()  # the log that is lost now takes it, and the relay stands still before it marks it
        assert await republish(bench.pool, "notifier", days=14, request_id=None) == 1
        hand.open.set()
        await until(lambda: is_zero(pending(bench)), seconds=5)

    assert sorted(hand.keys) == sorted([str(told), str(under_way)] * 2)


async def test_what_was_never_published_is_kept_however_old_it_is(bench: Bench) -> None:
    relay = Relay("notifier", dsn="", pool=bench.pool, producer=Hand())
    await say(bench, uuid.uuid4(), "m1")
    await bench.pool.execute("UPDATE notifier.outbox SET created_at = now() - interval '99 days'")

    assert await relay.prune() == 0, "Kafka may have been away for so long"
    await bench.pool.execute("UPDATE notifier.outbox SET published_at = now()")
    assert await relay.prune() == 1


async def test_nothing_is_published_again_while_the_session_of_a_relay_does_not_end(
    bench: Bench, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = uuid.uuid4()
    async with relaying(bench, database, Hand()):
        await say(bench, told, "m1")
        await until(lambda: is_zero(pending(bench)), seconds=5)
    leader = await asyncpg.connect(database)
    await leader.execute("SELECT pg_advisory_lock(hashtext('aiguilleur relay notifier'))")
    await leader.execute(  # a session drops its temporary tables before it ends: of so many, for longer than it is given
        "DO $$BEGIN FOR i IN 1..500 LOOP EXECUTE format('CREATE TEMP TABLE slow_%s (x int PRIMARY KEY)', i); END LOOP; END$$"
    )
    monkeypatch.setattr(delivery_relay, "END_SECONDS", 0.01)

    with pytest.raises(Unavailable, match=r"of notifier did not end within 0\.01 s; try again"):
        await republish(bench.pool, "notifier", days=14, request_id=None)

    assert await is_zero(pending(bench))
    leader.terminate()
