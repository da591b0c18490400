"""Connections to PostgreSQL."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
"""A connection, held or borrowed from the pool."""
CONNECT_SECONDS = 5
COMMAND_SECONDS = 20
"""How long a statement may take, with what it waits for locks: past that asyncpg gives it up, by a TimeoutError."""
IDLE_SECONDS = 30
"""How long PostgreSQL bears a transaction that says nothing: past that it ends the connection."""
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

    A statement may take COMMAND_SECONDS, a connection CONNECT_SECONDS: past that the caller gets an error instead of a hang.
    `look` sees each new connection before anybody uses it.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=largest,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        max_inactive_connection_lifetime=300,
        reset=_as_it_is,
        init=look,  # type: ignore[arg-type]  # asyncpg hands it a connection, typed as a bare one
        server_settings={
            "application_name": f"aiguilleur {name}",
            "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
            **KEEPALIVE,
        },
    )


async def _as_it_is(_connection: Connection) -> None:
    """Keep a connection that is given back: nobody here sets, listens or locks on one of the pool, so the round trip that would
    undo it is saved. A transaction left open is rolled back before this is asked."""
