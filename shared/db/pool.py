"""Connections to PostgreSQL."""

import asyncpg


async def open_pool(dsn: str, *, name: str, largest: int = 8) -> asyncpg.Pool:
    """Return a pool that connects when it is first used, so that a service starts while the database is away.

    A statement may take 20 s, a connection 5 s: past that the caller gets an error instead of a hang.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=largest,
        timeout=5,
        command_timeout=20,
        max_inactive_connection_lifetime=300,
        server_settings={"application_name": f"aiguilleur {name}", "idle_in_transaction_session_timeout": "30000"},
    )
