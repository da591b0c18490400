"""What stands between Kafka's client and the shell: records that wait, and how a large batch is divided. Without a server."""

import asyncio
from collections.abc import Coroutine, Mapping
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

from shared.delivery.batches import PARTS, parts_of
from shared.delivery.consumer import Consumer
from shared.delivery.errors import Unavailable
from shared.delivery.gate import Gate
from shared.delivery.prefetch import Prefetch
from shared.delivery.values import RawRecord
from shared.log import get_log
from tests.delivery.sample import SAMPLE

A, B = TopicPartition("requests.v1", 0), TopicPartition("requests.v1", 1)
Fetched = dict[TopicPartition, list[Any]]


class Client:
    """aiokafka's consumer, as far as it is used: answers what it is given, then waits for ever. `asked`: room of each fetch."""

    def __init__(self, *answers: Fetched | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[int] = []

    async def getmany(self, *, timeout_ms: int, max_records: int) -> Fetched:
        self.asked.append(max_records)
        if not self._answers:
            await asyncio.Event().wait()
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_all_that_came_is_handed_out_whole_and_in_order() -> None:
    client = Client({A: [1, 2]}, {}, {A: [3], B: [9]})
    prefetch = Prefetch(client, most=100)
    await settled()

    assert await client.getmany(timeout_ms=10, max_records=1) == {A: [1, 2, 3], B: [9]}
    prefetch.stop()


async def test_nothing_is_handed_out_until_something_comes() -> None:
    client = Client()
    prefetch = Prefetch(client, most=100)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.getmany(timeout_ms=10, max_records=1)
    prefetch.stop()


async def test_kafka_is_not_asked_while_there_is_no_room() -> None:
    client = Client({A: [1, 2]}, {A: [3]}, {A: [4]})
    prefetch = Prefetch(client, most=3)
    await settled()
    assert client.asked == [3, 1], "a full buffer asks for more"

    assert await client.getmany(timeout_ms=10, max_records=1) == {A: [1, 2, 3]}
    assert await client.getmany(timeout_ms=10, max_records=1) == {A: [4]}
    prefetch.stop()


async def test_what_is_fetched_again_from_elsewhere_is_dropped_and_makes_room() -> None:
    client = Client({A: [1, 2, 3]}, {A: [1]}, {B: [7]})
    prefetch = Prefetch(client, most=3)
    await settled()

    prefetch.forget(("requests.v1", 0))
    await settled()

    assert await client.getmany(timeout_ms=10, max_records=1) == {A: [1], B: [7]}
    prefetch.stop()


@pytest.mark.parametrize("error", [KafkaError("gone"), ConsumerStoppedError()])
async def test_an_error_is_told_once_what_came_before_it_is_taken(error: Exception) -> None:
    client = Client({A: [1]}, error, {A: [2]})
    prefetch = Prefetch(client, most=100)
    await settled()

    assert await client.getmany(timeout_ms=10, max_records=1) == {A: [1]}
    with pytest.raises(type(error)):
        await client.getmany(timeout_ms=10, max_records=1)
    if not isinstance(error, ConsumerStoppedError):
        assert await client.getmany(timeout_ms=10, max_records=1) == {A: [2]}, "it goes on after an error"
    prefetch.stop()


async def ended(error: BaseException | None = None) -> None:
    if error is not None:
        raise error


async def on() -> None:
    await asyncio.Event().wait()


def joined(**loops: Coroutine[Any, Any, None]) -> Any:
    """Return a client that has joined its group, with these loops."""
    client: Any = Client()
    tasks = {name: asyncio.create_task(loops.get(name) or on()) for name in ("fetch", "metadata", "coordination", "heartbeat")}
    client._fetcher, client._client = SimpleNamespace(_fetch_task=tasks["fetch"]), SimpleNamespace(_sync_task=tasks["metadata"])
    client._coordinator = SimpleNamespace(_coordination_task=tasks["coordination"], _heartbeat_task=tasks["heartbeat"])
    return client


@pytest.mark.parametrize(
    "error", [None, RuntimeError("closed transport"), asyncio.CancelledError()], ids=["none", "error", "cancelled"]
)
@pytest.mark.parametrize("which", ["fetch", "metadata", "coordination"])
async def test_a_client_one_of_whose_loops_ended_is_dead(which: str, error: BaseException | None) -> None:
    """These run until the client is closed. However one ends, nothing comes any more."""
    prefetch = Prefetch(joined(**{which: ended(error)}), most=3)
    alive = not prefetch.is_dead
    await settled()

    assert (alive, prefetch.is_dead) == (True, True)
    prefetch.stop()


async def test_a_client_that_nothing_is_asked_of_any_more_is_dead() -> None:
    prefetch = Prefetch(joined(), most=3)
    alive = not prefetch.is_dead
    prefetch.stop()
    await settled()

    assert (alive, prefetch.is_dead) == (True, True)


@pytest.mark.parametrize(("error", "is_dead"), [(None, False), (asyncio.CancelledError(), False), (RuntimeError("closed"), True)])
async def test_a_heartbeat_that_ended_without_an_error_is_begun_again(error: BaseException | None, *, is_dead: bool) -> None:
    prefetch = Prefetch(joined(heartbeat=ended(error)), most=3)
    await settled()

    assert prefetch.is_dead == is_dead
    prefetch.stop()


def test_parts_share_no_request_and_lose_no_record() -> None:
    def raw(topic: str, partition: int) -> RawRecord:
        return RawRecord(topic, partition, 0, b"", (), b"")

    batches = {(topic, place): [raw(topic, place)] for topic in ("requests.v1", "handling.v1") for place in range(PARTS + 2)}

    parts = parts_of(batches)

    assert {place: records for part in parts for place, records in part.items()} == batches
    numbers = [{partition for _, partition in part} for part in parts]
    assert sum(len(one) for one in numbers) == len(set().union(*numbers)), "a request has one partition number in all topics"


class Takes:
    """A shell that takes everything, and fails as it is told: by partition, how often still."""

    service, log, gate, positions = SAMPLE, get_log("test"), Gate("notifier", watched=False), None

    def __init__(self, **failing: int) -> None:
        self.failing = {int(name.removeprefix("p")): times for name, times in failing.items()}
        self.taken: list[tuple[str, int, int]] = []

    async def take(
        self, records: dict[tuple[str, int], list[RawRecord]], *, logs: Mapping[str, UUID]
    ) -> dict[tuple[str, int], int]:
        for _, partition in records:
            if self.failing.get(partition, 0) > 0:
                self.failing[partition] -= 1
                raise Unavailable("for a moment")
        self.taken += [(one.topic, one.partition, one.offset) for many in records.values() for one in many]
        return {}


async def test_a_part_that_fails_is_taken_again_alone_until_it_is_done() -> None:
    shell = Takes(p1=2)
    consumer = Consumer(shell, bootstrap="127.0.0.1:9", instance="0")  # type: ignore[arg-type]  # as far as it is used
    consumer._places.logs = {"requests.v1": uuid4()}
    records = [
        ConsumerRecord("requests.v1", place, offset, 0, 0, b"", b"", 0, 0, 0, ()) for place in (0, 1) for offset in range(400)
    ]

    await consumer._handle(tuple(records))

    assert sorted(shell.taken) == [("requests.v1", place, offset) for place in (0, 1) for offset in range(400)]
    assert consumer.taken == 800
    assert shell.failing == {1: 0}
