"""Keeps the loops of a service running."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from shared.delivery.errors import place_of

AGAIN_SECONDS = 1.0


async def guard(loop: Callable[[], Awaitable[None]], *, service: str, log: Any) -> None:
    """Run a loop of a service until it returns or is cancelled; whatever else ends it is logged with an id, and it begins again.

    A library may raise CancelledError though nobody cancelled us (aiokafka's `stop` raises that of its own fetches): a loop that
    ends by one of these would end in silence, and for good.
    """
    while True:
        try:
            await loop()
            return
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            name = getattr(loop, "__qualname__", "loop")
            log.error("service.loop_failed", error=type(error).__name__, place=place_of(error), error_id=f"{service}.{name}")
            if _is_cancelled():  # it failed while it ended
                raise
            await asyncio.sleep(AGAIN_SECONDS)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
