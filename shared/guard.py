"""Keeps the loops of a service running, and ends them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from shared.delivery.errors import place_of

AGAIN_SECONDS = 1.0
END_SECONDS = 20.0
"""What a loop may take to finish what it has begun: a mail that takes longer may be sent again."""
LAST_SECONDS = 2.0
"""What one may take that was cut off."""


def begin(loop: Callable[[], Awaitable[None]], *, service: str, log: Any) -> "asyncio.Task[None]":
    """Begin to run a loop of a service, guarded, in a task that has its name. Any: structlog carries no types."""
    return asyncio.create_task(guard(loop, service=service, log=log), name=_name_of(loop))


async def guard(loop: Callable[[], Awaitable[None]], *, service: str, log: Any) -> None:  # Any: as above
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
            error_id = f"{service}.{_name_of(loop)}"
            log.error("service.loop_failed", error=type(error).__name__, place=place_of(error), error_id=error_id)
            if _is_cancelled():  # it failed while it ended
                raise
            await asyncio.sleep(AGAIN_SECONDS)


async def end(tasks: Iterable["asyncio.Task[None]"], *, service: str, log: Any) -> None:  # Any: as above
    """Cancel loops, and return when each has finished what it had begun; those that take too long are cut off and logged."""
    left = set(tasks)
    for seconds in (END_SECONDS, LAST_SECONDS):
        for task in left:
            task.cancel()
        if left:
            ended, left = await asyncio.wait(left, timeout=seconds)
            await asyncio.gather(*ended, return_exceptions=True)  # an error was logged by its guard
    for task in left:
        log.error("service.loop_does_not_end", place=task.get_name(), error_id=f"{service}.{task.get_name()}")


def _name_of(loop: Callable[[], Awaitable[None]]) -> str:
    return getattr(loop, "__qualname__", "loop")


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
