"""Ends clients of Kafka, whatever state they are in."""

import asyncio
from collections.abc import Coroutine
from typing import Any

STOP_SECONDS = 2.0


async def attempt(step: Coroutine[Any, Any, object], *, seconds: float | None = None) -> str | None:
    """Take a step of closing, for so many seconds at most (STOP_SECONDS). Return the name of the error if it failed.

    It has a task of its own, as aiokafka's `stop` may raise the CancelledError of the client's own tasks: of one that never ran,
    when a client is stopped right after it has started, and of a fetch that has just failed and rests until its next try
    (aiokafka 0.13, `NoGroupCoordinator.close`, `Fetcher.close`). Who waits would look cancelled, though nobody cancelled it.
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


async def close(consumer: Any) -> None:
    """Stop an AIOKafkaConsumer, started or not."""
    if await attempt(consumer.stop()) is not None:
        await abandon(consumer)


async def abandon(consumer: Any) -> None:
    """Close what an AIOKafkaConsumer that did not stop leaves behind. To stop it once more would do nothing."""
    for piece in (consumer._fetcher, consumer._client):
        if piece is not None:
            await attempt(piece.close())
