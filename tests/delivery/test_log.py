"""The shell between a real PostgreSQL and a real Kafka: consumer, relay, producer, archive."""

import asyncio
import uuid

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError

from deploy.local.kafka import KafkaServer
from shared.delivery.consumer import Consumer
from shared.delivery.parking import Choice, Parking, republish, rewind
from shared.delivery.producer import Producer
from shared.delivery.values import RawRecord
from tests.delivery.bench import Bench
from tests.delivery.log import consuming, equals, has, is_zero, logged, pending, publish, relaying, say, until
from tests.delivery.sample import added, warned

pytestmark = [pytest.mark.integration, pytest.mark.slow]


# --- relay ---------------------------------------------------------------------------------------------------------------


async def test_the_relay_publishes_in_order_and_marks_once(bench: Bench, database: str, broker: KafkaServer) -> None:
    mine, other = uuid.uuid4(), uuid.uuid4()
    async with relaying(bench, database, broker):
        for n in range(1, 30):
            await say(bench, mine, f"m{n}")
            await say(bench, other, f"o{n}")
        await until(lambda: is_zero(pending(bench)))

    told = [headers for key, headers in await logged(broker, "notifications.v1") if key == str(mine)]
    assert [int(one["ce_sequence"]) for one in told] == list(range(1, 30))
    assert told[0]["ce_id"].decode() == f"{mine}.notifications.v1.1"
    assert told[0]["ce_source"] == b"/aiguilleur/notifier"


async def test_two_relays_take_turns_and_publish_nothing_twice(bench: Bench, database: str, broker: KafkaServer) -> None:
    mine = uuid.uuid4()
    async with relaying(bench, database, broker), relaying(bench, database, broker):
        await say(bench, mine, *(f"m{n}" for n in range(1, 20)))
        await until(lambda: is_zero(pending(bench)))

    told = [headers for key, headers in await logged(broker, "notifications.v1") if key == str(mine)]
    assert [int(one["ce_sequence"]) for one in told] == list(range(1, 20))


async def test_after_an_error_the_producer_is_a_new_one(broker: KafkaServer) -> None:
    producer = Producer(broker.bootstrap, client_id="test")
    await producer.send([("notifications.v1", b"k", [], b"1")])
    first = producer._producer

    with pytest.raises(MessageSizeTooLargeError):
        await producer.send([("notifications.v1", b"k", [], b"x" * 1_200_000)])
    await producer.send([("notifications.v1", b"k", [], b"2")])

    assert producer._producer is not first
    await producer.close()


async def test_a_broker_that_comes_back_gets_what_was_committed_meanwhile(
    bench: Bench, database: str, broker: KafkaServer
) -> None:
    mine = uuid.uuid4()
    async with relaying(bench, database, broker):
        await say(bench, mine, "before")
        await until(lambda: is_zero(pending(bench)))
        broker.kill()
        await say(bench, mine, "while it was away", "and more")
        await asyncio.sleep(1)
        assert await pending(bench) == 2
        await asyncio.to_thread(broker.restart)
        await until(lambda: is_zero(pending(bench)), seconds=60)

    told = [int(headers["ce_sequence"]) for key, headers in await logged(broker, "notifications.v1") if key == str(mine)]
    assert list(dict.fromkeys(told)) == [1, 2, 3]


# --- consumer ------------------------------------------------------------------------------------------------------------


async def test_the_consumer_takes_what_can_be_taken_and_parks_the_rest(bench: Bench, broker: KafkaServer) -> None:
    good, bad = uuid.uuid4(), uuid.uuid4()
    garbage = RawRecord("requests.v1", 0, 0, b"\xff", (("ce_type", b"\xff\x00"), ("x", b"")), b"\x00")
    story = [added(n, f"t{n}", good) for n in (1, 2, 2, 1, 3)]
    await publish(broker, story[0], garbage, added(1, "poison", bad), *story[1:], added(2, "b", bad), warned(1, good))

    async with consuming(bench, broker) as consumer:
        await until(lambda: equals(bench.heard(good), ("t1", "t2", "t3")))
        await until(lambda: has(Parking(bench.shell).list_open(Choice(request_id=bad)), 2))
        assert consumer.connected

    assert (None, "undecodable", None) in await bench.parked()
    assert [one.why for one in await Parking(bench.shell).list_open(Choice(request_id=bad))] == ["poison", "waiting"]


async def test_a_restarted_consumer_goes_on_where_postgresql_says(bench: Bench, broker: KafkaServer) -> None:
    mine = uuid.uuid4()
    await publish(broker, added(1, "a", mine))
    async with consuming(bench, broker):
        await until(lambda: equals(bench.heard(mine), ("a",)))
    await publish(broker, added(2, "b", mine))

    async with consuming(bench, broker):  # another group: Kafka would hand out everything from the beginning
        await until(lambda: equals(bench.heard(mine), ("a", "b")))

    assert [sequence for request, sequence in await bench.said() if request == mine] == [1, 2]


async def test_a_client_that_died_is_replaced(bench: Bench, broker: KafkaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = uuid.uuid4()
    await publish(broker, added(1, "a", mine))
    async with consuming(bench, broker) as consumer:
        await until(lambda: equals(bench.heard(mine), ("a",)))
        client = consumer.subscriber.consumer
        with monkeypatch.context() as patch:  # as uvloop does at a write to a connection that was just closed
            patch.setattr(client._client, "send", _closed)
            await until(lambda: is_not(client, consumer))
        await publish(broker, added(2, "b", mine))
        await until(lambda: equals(bench.heard(mine), ("a", "b")))


async def test_a_client_whose_group_was_given_up_is_replaced(
    bench: Bench, broker: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = uuid.uuid4()
    await publish(broker, added(1, "a", mine))
    async with consuming(bench, broker) as consumer:
        await until(lambda: equals(bench.heard(mine), ("a",)))
        client = consumer.subscriber.consumer
        with monkeypatch.context() as patch:  # the same, met by a heartbeat: the fetches go on
            patch.setattr(client._coordinator, "_send_req", _closed)
            await until(lambda: is_not(client, consumer))
        await publish(broker, added(2, "b", mine))
        await until(lambda: equals(bench.heard(mine), ("a", "b")))


async def test_a_client_that_was_stopped_is_not_replaced(bench: Bench, broker: KafkaServer) -> None:
    consumer = Consumer(bench.shell, bootstrap=broker.bootstrap, instance="0", group=f"test-{uuid.uuid4()}")
    serving = asyncio.create_task(consumer.serve())
    await until(lambda: has_partitions(consumer))
    await consumer.stop()
    client = consumer.subscriber.consumer

    await asyncio.wait_for(serving, 5)
    assert consumer.subscriber.consumer is client
    await consumer.ends.close()


async def has_partitions(consumer: Consumer) -> bool:
    """Whether the consumer has joined its group."""
    return consumer.connected and bool(consumer.assigned())


async def _closed(*_: object, **__: object) -> None:
    raise RuntimeError("the handler is closed")


async def is_not(client: object, consumer: Consumer) -> bool:
    """Whether the consumer has another client by now."""
    return consumer.connected and consumer.subscriber.consumer is not client


async def test_a_log_that_was_lost_is_read_from_its_new_beginning(bench: Bench, broker: KafkaServer) -> None:
    mine = uuid.uuid4()
    await publish(broker, added(1, "a", mine))
    async with consuming(bench, broker):
        await until(lambda: equals(bench.heard(mine), ("a",)))
        await bench.pool.execute("UPDATE notifier.position SET next_offset = next_offset + 1000")  # the log ends far below
        await until(lambda: equals(rewound(bench), 0))

        await publish(broker, added(2, "b", mine))
        await until(lambda: equals(bench.heard(mine), ("a", "b")))

    assert [sequence for request, sequence in await bench.said() if request == mine] == [1, 2]


async def test_a_log_that_is_ours_is_not_taken_for_another_one(bench: Bench, broker: KafkaServer) -> None:
    """A replica that slept knows an old end of the log, and may see the position that another one has moved meanwhile."""
    mine = uuid.uuid4()
    await publish(broker, added(1, "a", mine))
    async with consuming(bench, broker) as consumer:
        await until(lambda: equals(bench.heard(mine), ("a",)))
        place, position = await read_last(bench)
        state = consumer.subscriber.consumer._subscription.subscription.assignment.state_value(TopicPartition(*place))
        state.highwater = 0  # what it knew when it fell asleep

        await asyncio.sleep(5)
        assert (await read_last(bench)) == (place, position)

    for _ in range(5):
        assert not await bench.shell.positions.move(place, 0, seen=position - 1)  # somebody has moved it since it was seen
    assert (await read_last(bench)) == (place, position)
    assert await bench.shell.positions.move(place, 0, seen=position)


async def read_last(bench: Bench) -> tuple[tuple[str, int], int]:
    """The partition that is furthest, and where it stands."""
    row = await bench.pool.fetchrow("SELECT * FROM notifier.position ORDER BY next_offset DESC LIMIT 1")
    assert row is not None
    return (row[0], row[1]), row[2]


async def rewound(bench: Bench) -> int:
    """How many partitions stand before their first record, or far beyond their last."""
    return int(await bench.pool.fetchval("SELECT count(*) FROM notifier.position WHERE next_offset = 0 OR next_offset >= 1000"))


# --- archive -------------------------------------------------------------------------------------------------------------


async def test_the_archive_is_published_again_and_readers_drop_what_they_know(
    bench: Bench, database: str, broker: KafkaServer
) -> None:
    mine = uuid.uuid4()
    await publish(broker, added(1, "a", mine))
    async with relaying(bench, database, broker), consuming(bench, broker):
        await until(lambda: equals(bench.heard(mine), ("a",)))
        await until(lambda: is_zero(pending(bench)))
        assert await republish(bench.pool, "notifier", days=14, request_id=mine) == 1
        await until(lambda: is_zero(pending(bench)))
        before = await bench.said()

        assert await rewind(bench.pool, "notifier") > 0
        await until(lambda: equals(rewound(bench), 0))  # although nothing new comes
        await publish(broker, added(2, "b", mine))
        await until(lambda: equals(bench.heard(mine), ("a", "b")))

    told = [headers["ce_id"] for key, headers in await logged(broker, "notifications.v1") if key == str(mine)]
    assert told.count(f"{mine}.notifications.v1.1".encode()) == 2
    assert await bench.said() == [*before, (mine, 2)]
