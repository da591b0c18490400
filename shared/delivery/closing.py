"""Ends clients of Kafka, whatever state they are in."""

import asyncio
from collections.abc import Coroutine
from typing import Any

STOP_SECONDS = 2.0
_under_way: set["asyncio.Task[None]"] = set()
"""asyncio itself keeps no task alive."""


async def attempt(step: Coroutine[object, object, object], *, seconds: float | None = None) -> str | None:
    """Take a step of closing, for so many seconds at most (STOP_SECONDS). Return the name of the error if it failed.

    It has a task of its own, as aiokafka's `stop` may raise the CancelledError of the client's own tasks: of one that never ran,
    when a client is stopped right after it has started, and of a fetch that has just failed and rests until its next try
    (aiokafka 0.13: `NoGroupCoordinator.close`, `Fetcher.close`, and others that await what they have cancelled). Who waits
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


async def close(client: Any) -> None:  # Any: aiokafka carries no types
    """Stop an AIOKafkaConsumer or AIOKafkaProducer, started or not. It ends even if whoever waits for it is cancelled."""
    task = asyncio.create_task(_close(client))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    await asyncio.shield(task)


async def _close(client: Any) -> None:  # Any: as above
    stopped_before = client._closed  # then `stop` does nothing, and nobody knows how far it came
    if await attempt(client.stop()) is not None or stopped_before:
        await abandon(client)


async def abandon(client: Any) -> None:  # Any: as above
    """End the tasks and connections that a client has which did not stop. To stop it once more would do nothing."""
    pieces = [getattr(client, name, None) for name in ("_coordinator", "_fetcher", "_sender")]
    for task in [task for piece in pieces if piece is not None for task in _tasks_of(piece)]:
        task.cancel()
    await attempt((client._client if hasattr(client, "_client") else client.client).close())


def _tasks_of(piece: Any) -> list["asyncio.Task[Any]"]:  # Any: as above
    """Return the tasks that a part of a client keeps."""
    kept: list[Any] = []
    for value in vars(piece).values():
        kept += value if isinstance(value, set) else [value]
    return [one for one in kept if isinstance(one, asyncio.Task)]
