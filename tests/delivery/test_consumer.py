"""How a consumer ends its client of Kafka, and sees that it is dead. Without a server."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher
from faststream._internal.endpoint.subscriber.utils import MultiLock

from shared import guard
from shared.delivery import consumer as module
from shared.delivery.consumer import Consumer
from shared.delivery.gate import Gate
from shared.log import get_log
from tests.delivery.sample import SAMPLE


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


@pytest.mark.parametrize("hangs", [False, True], ids=["a task of its own was cancelled", "it hangs"])
async def test_a_client_that_does_not_stop_is_ended_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, hangs: bool
) -> None:
    monkeypatch.setattr(module, "BROKER_SECONDS", 0.05)
    consumer = new_consumer()
    tasks = await running(consumer, hangs=hangs)

    await consumer._stop_broker()
    await asyncio.sleep(0.01)
    assert consumer.subscriber.consumer is None
    assert [task for task in tasks if not task.done()] == []
    assert "consumer.stop_failed" in capsys.readouterr().out


@pytest.mark.parametrize("error", [asyncio.CancelledError(), RuntimeError("unforeseen")], ids=["cancelled", "unforeseen"])
async def test_a_start_that_fails_halfway_leaves_no_client_behind(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "AGAIN_SECONDS", 0.0)
    consumer = new_consumer()
    errors, tasks = [error], []

    async def start() -> None:
        if not errors:
            await on()
        tasks.extend(await running(consumer, hangs=False))
        raise errors.pop()

    monkeypatch.setattr(consumer.broker, "start", start)
    monkeypatch.setattr(consumer._places, "ask_for_logs", lambda _topics: asyncio.sleep(0))
    serving = asyncio.create_task(guard.guard(consumer.serve, service="notifier", log=get_log("test")))
    await asyncio.sleep(0.05)

    assert tasks
    assert [task for task in tasks if not task.done()] == []
    assert not serving.done(), "it tries again"
    serving.cancel()
    await asyncio.wait({serving})


async def test_a_consumer_whose_batches_nobody_hands_over_any_more_is_dead() -> None:
    consumer = new_consumer()
    prefetch: Any = type("Prefetch", (), {"is_dead": False})
    consumer.subscriber.consumer, consumer._places.prefetch = object(), prefetch
    task = asyncio.create_task(on())
    consumer.subscriber.tasks.append(task)
    alive = not consumer._is_dead
    task.cancel()
    await asyncio.wait({task})

    assert (alive, consumer._is_dead) == (True, True)
