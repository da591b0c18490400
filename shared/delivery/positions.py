"""Places in the log, as an operator, the consumer and the watchdog see and set them: outside any batch."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from shared.delivery.errors import UNAVAILABLE, Unavailable
from shared.delivery.store import Connection, Place, Store
from shared.log import get_log


@asynccontextmanager
async def connected(pool: asyncpg.Pool) -> AsyncIterator[Connection]:
    """Give a connection outside any batch. Raises Unavailable."""
    try:
        async with pool.acquire() as connection:
            yield connection
    except UNAVAILABLE as error:
        raise Unavailable("PostgreSQL does not answer; try again in a moment") from error


class Positions:
    """The next offset of each partition that a service reads. One per shell."""

    def __init__(self, pool: asyncpg.Pool, store: Store[Any], name: str) -> None:
        self._pool = pool
        self._store = store
        self._log = get_log(name)

    async def move(self, place: Place, position: int, *, seen: int) -> bool:
        """Set a partition's position if it still is `seen`; return whether it was. Raises Unavailable."""
        async with connected(self._pool) as connection:
            return await self._store.move(connection, place, position, seen=seen)

    async def turn_back_replaced(self, logs: Mapping[str, UUID]) -> dict[Place, int]:
        """Have topics that were made anew be read from their beginning; return where we stood before. Raises Unavailable."""
        async with connected(self._pool) as connection:
            return await self._store.turn_back_replaced(connection, logs) if logs else {}

    async def find(self) -> dict[Place, int]:
        """Return the next offset of each partition that was read. Raises Unavailable."""
        async with connected(self._pool) as connection:
            return await self._store.find_positions(connection)

    async def find_progress(self) -> tuple[dict[Place, int], bool]:
        """Return the positions, and whether the outbox holds something to publish. Raises Unavailable."""
        async with connected(self._pool) as connection:
            return await self._store.find_positions(connection), await self._store.has_pending(connection)

    async def tell_halted(self, instance: str, why: str | None) -> None:
        """Note for `aiguilleur status` that this replica's consumer halted itself, or goes on (None). Never raises."""
        try:
            async with connected(self._pool) as connection:
                await self._store.save_halt(connection, instance, why)
        except Unavailable as error:
            self._log.warning("postgresql.unavailable", error=type(error.__cause__).__name__, place="halt")
