"""Ends clients of Kafka, whatever state they are in."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiokafka.errors import KafkaConnectionError

STOP_SECONDS = 2.0
_under_way: set["asyncio.Task[None]"] = set()
"""asyncio itself keeps no task alive."""


async def attempt(step: Coroutine[object, object, object], *, seconds: float | None = None) -> str | None:
    """Take a step of closing, for so many seconds at most (STOP_SECONDS). Return the name of the error if it failed.

    It has a task of its own, as aiokafka's `stop` may raise the CancelledError of the client's own tasks: of one that never ran,
    when a client is stopped right after it has started, and of a fetch that has just failed and rests until its next try
    (aiokafka 0.14: `NoGroupCoordinator.close`, `Fetcher.close`, and others that await what they have cancelled). Who waits
    would look cancelled, though nobody cancelled it.
    Whoever is cancelled while it waits is, and cancels the step; one that took too long is cancelled and not waited for.
    """
    task = asyncio.create_task(step)
    try:
        done, _ = await asyncio.wait({task}, timeout=STOP_SECONDS if seconds is None else seconds)
    finally:
        task.cancel()
    if not done:
        return "TimeoutError"
    if task.cancelled():
        return "CancelledError"
    error = task.exception()
    return type(error).__name__ if error is not None else None


async def finish(step: Coroutine[object, object, None]) -> None:
    """Take a step of closing to its end, even if whoever waits for it is cancelled."""
    task = asyncio.create_task(step)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    await asyncio.shield(task)


async def close(client: Any) -> None:  # Any: aiokafka carries no types
    """Stop an AIOKafkaConsumer or AIOKafkaProducer, started or not. It ends even if whoever waits for it is cancelled."""
    await finish(_close(client))


async def _close(client: Any) -> None:  # Any: as above
    stopped_before = client._closed  # then `stop` does nothing, and nobody knows how far it came
    if await attempt(client.stop()) is not None or stopped_before:
        await _abandon(client)


async def _abandon(client: Any) -> None:  # Any: as above
    """End the tasks and connections that a client has which did not stop. To stop it once more would do nothing.

    What a producer has sent to several brokers is waited for by tasks that only it knows: those end by their time-out of 10 s.
    """
    network = client._client if hasattr(client, "_client") else client.client
    pieces = [network, *(getattr(client, name, None) for name in ("_coordinator", "_fetcher", "_sender"))]
    tasks = [task for piece in pieces if piece is not None for task in _tasks_of(piece)]
    network._sync_task = None  # if an error has ended it, `close` would raise that
    for connection in network._conns.values():
        if connection._writer is not None:
            connection._writer.transport.abort()  # `close` would wait for a peer that does not read
    for task in tasks:
        task.cancel()
    await attempt(network.close())
    for task in tasks:
        task.cancel()  # a producer's sender keeps the first for itself, and waits for what it sends
    if hasattr(client, "_message_accumulator"):
        client._message_accumulator.fail_all(KafkaConnectionError())


def _tasks_of(piece: Any) -> list["asyncio.Task[Any]"]:  # Any: as above
    """Return the tasks that a part of a client keeps."""
    kept: list[Any] = []
    for value in vars(piece).values():
        kept += value if isinstance(value, set) else [value]
    return [one for one in kept if isinstance(one, asyncio.Task)]
