"""How a consumer ends its client of Kafka, and sees that it is dead. Without a server."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import Fetcher
from faststream._internal.endpoint.subscriber.utils import MultiLock

from shared import guard, metrics
from shared.delivery import consumer as module
from shared.delivery.consumer import Consumer
from shared.delivery.errors import TooManyParked
from shared.delivery.gate import Gate
from shared.delivery.store import Place
from shared.log import get_log
from tests.delivery.bench import PLACE
from tests.delivery.sample import SAMPLE, added


class Shell:
    """A shell that nothing is handed to."""

    service, log, gate, positions = SAMPLE, get_log("test"), Gate("notifier", watched=False), None


class Coordinator:
    """aiokafka's, with its loops."""

    def __init__(self, *, hangs: bool) -> None:
        self._hangs = hangs
        self._coordination_task, self._heartbeat_task = asyncio.create_task(on()), asyncio.create_task(on())

    async def close(self) -> None:
        if self._hangs:
            await on()


async def on() -> None:
    await asyncio.Event().wait()


def new_consumer() -> Consumer:
    return Consumer(Shell(), bootstrap="127.0.0.1:9", instance="0")  # type: ignore[arg-type]  # as far as it is used


async def running(consumer: Consumer, *, hangs: bool) -> list["asyncio.Task[None]"]:
    """Give the consumer a client that runs, one of whose fetches rests after an error; return the client's tasks."""
    client = AIOKafkaConsumer(bootstrap_servers="127.0.0.1:9", group_id="notifier")
    client._client._sync_task = asyncio.create_task(on())
    client._fetcher, client._coordinator = Fetcher(client._client, client._subscription), Coordinator(hangs=hangs)
    await asyncio.sleep(0.01)
    client._fetcher._pending_tasks.add(asyncio.create_task(on()))
    consumer.subscriber.consumer, consumer.subscriber.lock = client, MultiLock()
    consumer.subscriber.tasks.append(asyncio.create_task(on()))
    await asyncio.sleep(0.01)
    tasks = [client._client._sync_task, client._fetcher._fetch_task, *client._fetcher._pending_tasks, *consumer.subscriber.tasks]
    return [*tasks, client._coordinator._coordination_task, client._coordinator._heartbeat_task]


@pytest.mark.parametrize("why", ["a task of its own was cancelled", "it hangs", "a batch is under way"])
async def test_a_client_that_does_not_stop_is_ended_and_said(
    why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "BROKER_SECONDS", 0.05)
    consumer = new_consumer()
    tasks = await running(consumer, hangs=why == "it hangs")
    if why == "a batch is under way":
        consumer.subscriber.lock.acquire()
    client = consumer.subscriber.consumer

    await consumer._stop_broker()
    await asyncio.wait(tasks, timeout=10)
    assert [task for task in tasks if not task.done()] == []
    assert (consumer.subscriber.consumer, client._closed) == (None, True)
    assert "consumer.stop_failed" in capsys.readouterr().out


async def test_a_client_is_ended_though_the_service_ends_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BROKER_SECONDS", 0.05)
    consumer = new_consumer()
    tasks = await running(consumer, hangs=True)
    stopping = asyncio.create_task(consumer._stop_broker())
    await asyncio.sleep(0)
    stopping.cancel()

    await asyncio.wait(tasks, timeout=10)
    assert [task for task in tasks if not task.done()] == []


@pytest.mark.parametrize("error", [asyncio.CancelledError(), RuntimeError("unforeseen")], ids=["cancelled", "unforeseen"])
async def test_a_start_that_fails_halfway_leaves_no_client_behind(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "AGAIN_SECONDS", 0.0)
    consumer, again = new_consumer(), asyncio.Event()
    errors, tasks = [error], []

    async def start() -> None:
        if not errors:
            again.set()
            await on()
        tasks.extend(await running(consumer, hangs=False))
        raise errors.pop()

    serving = await begin(consumer, start, monkeypatch)
    await asyncio.wait_for(again.wait(), 10)
    await asyncio.wait(tasks, timeout=10)

    assert [task for task in tasks if not task.done()] == []
    serving.cancel()
    await asyncio.wait({serving})


async def test_a_consumer_that_is_stopped_while_it_starts_leaves_no_client_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer, starting, started = new_consumer(), asyncio.Event(), asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    async def start() -> None:
        tasks.extend(await running(consumer, hangs=False))
        starting.set()
        await started.wait()

    serving = await begin(consumer, start, monkeypatch)
    await asyncio.wait_for(starting.wait(), 10)
    await consumer.stop()
    started.set()
    await asyncio.wait_for(serving, 10)
    await asyncio.wait(tasks, timeout=10)

    assert [task for task in tasks if not task.done()] == []


async def begin(consumer: Consumer, start: Any, monkeypatch: pytest.MonkeyPatch) -> "asyncio.Task[None]":
    """Serve as a service does, with this start of the broker."""
    monkeypatch.setattr(consumer.broker, "start", start)
    monkeypatch.setattr(consumer._places, "ask_for_logs", lambda _topics: asyncio.sleep(0))
    return asyncio.create_task(guard.guard(consumer.serve, service="notifier", log=get_log("test")))


@pytest.mark.parametrize("what", ["nobody hands over", "nobody fetches", "it was ended"])
async def test_a_consumer_that_gets_nothing_any_more_is_dead(what: str) -> None:
    consumer = new_consumer()
    prefetch: Any = SimpleNamespace(is_dead=False)
    consumer.subscriber.consumer, consumer._places.prefetch = object(), prefetch
    task = asyncio.create_task(on())
    consumer.subscriber.tasks.append(task)
    alive = not consumer._is_dead
    if what == "nobody fetches":
        prefetch.is_dead = True
    elif what == "it was ended":
        consumer.subscriber.consumer = None
    else:
        task.cancel()
        await asyncio.wait({task})

    assert (alive, consumer._is_dead) == (True, True)
    task.cancel()


async def test_a_consumer_that_halts_says_so_until_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HALT_RETRY_SECONDS", 0.01)
    consumer, gauge = new_consumer(), metrics.HALTED.labels("notifier")
    refusals, seen, noted = [TooManyParked("101 records")], [], []

    async def take(_batches: object, *, logs: object) -> dict[Place, int]:
        if refusals:
            raise refusals.pop()
        seen.append((consumer.halted, gauge._value.get()))
        return {}

    async def tell_halted(_instance: str, why: str | None) -> None:
        noted.append(why)

    consumer._shell = shell_with(take=take, positions=SimpleNamespace(tell_halted=tell_halted))
    await consumer._take({PLACE: [added(1, "a")]}, {})

    assert seen == [("101 records", 1)], "tried again, and halted until that is done"
    assert (consumer.halted, gauge._value.get(), noted) == (None, 0, ["101 records", None])


async def test_kafka_is_not_told_where_a_database_stands_that_may_be_an_old_one() -> None:
    consumer, told = new_consumer(), []

    async def commit(offsets: object) -> None:
        told.append(offsets)

    consumer.subscriber.consumer = SimpleNamespace(assignment=lambda: {TopicPartition(*PLACE)}, commit=commit)
    consumer._places.taken[PLACE] = 5
    consumer._shell = shell_with(gate=Gate("notifier"))
    await consumer._commit(force=True)
    assert told == []

    consumer._shell.gate.trust()
    await consumer._commit(force=True)
    assert told == [{TopicPartition(*PLACE): 5}]


def shell_with(**parts: Any) -> Any:  # Any: it stands for a shell, as far as it is used
    return SimpleNamespace(service=SAMPLE, **parts)
