"""Connections to PostgreSQL."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
"""A connection, held or borrowed from the pool."""
KEEPALIVE = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
"""Server settings by which PostgreSQL notices within 25 s that a node has vanished, and frees its locks."""


async def open_pool(
    dsn: str, *, name: str, largest: int = 8, look: Callable[[Connection], Awaitable[None]] | None = None
) -> asyncpg.Pool:
    """Return a pool that connects when it is first used, so that a service starts while the database is away.

    A statement may take 20 s, a connection 5 s: past that the caller gets an error instead of a hang. `look` sees each new
    connection before anybody uses it.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=largest,
        timeout=5,
        command_timeout=20,
        max_inactive_connection_lifetime=300,
        reset=_as_it_is,
        init=look,  # type: ignore[arg-type]  # asyncpg hands it a connection, typed as a bare one
        server_settings={
            "application_name": f"aiguilleur {name}",
            "idle_in_transaction_session_timeout": "30000",
            **KEEPALIVE,
        },
    )


async def _as_it_is(_connection: Connection) -> None:
    """Keep a connection that is given back: nobody here sets, listens or locks on one of the pool, so the round trip that would
    undo it is saved. A transaction left open is rolled back before this is asked."""
