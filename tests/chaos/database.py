"""Faults of PostgreSQL, and of what lies in it: it stops, finds no room, waits, is slow, or is told to do something again."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import asyncpg

from shared.db.rights import role_of
from shared.events.topics import SERVICES
from tests.chaos.scene import WAL_SEGMENT_BYTES
from tests.chaos.stage import Fault, Span, Stage

_REPEATS: Final = 20
_WAITING: Final = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = to_regclass($1)"
_SLOW: Final = """CREATE SCHEMA chaos;
    CREATE SEQUENCE chaos.slowed;
    CREATE FUNCTION chaos.slow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        $$ BEGIN PERFORM nextval('chaos.slowed'), pg_sleep({seconds}); RETURN NULL; END $$;
    CREATE TRIGGER slow BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION chaos.slow()"""


async def stop(stage: Stage, fault: Fault) -> None:
    """The server ends at once, and starts again after a while."""
    async with stage.during(fault, "postgres"):
        await asyncio.to_thread(stage.scene.postgres.stop_at_once)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(stage.scene.postgres.restart)


async def fill_disk(stage: Stage, fault: Fault) -> None:
    """No file of PostgreSQL grows past 1 MiB: its tables find no room, as on a full disk; its log, in smaller pieces, does.

    A real full disk is not to be had without the rights to mount one. To PostgreSQL it is the same failed write. It strikes each
    service whose write was refused, and nobody else.
    """
    async with stage.during(fault, "postgres"):
        began, before = time.monotonic(), await asyncio.to_thread(stage.scene.postgres.refused_writes)
        await asyncio.to_thread(stage.scene.postgres.limit_files, WAL_SEGMENT_BYTES)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(stage.scene.postgres.limit_files, None)
        refused = await asyncio.to_thread(stage.scene.postgres.refused_writes) - before
        struck = [service for service in SERVICES if refused[role_of(service)]]
        stage.spans += [Span(replace(fault, target=f"postgres.{one}"), began, time.monotonic()) for one in struck]
        if not struck:
            stage.unfelt.add(fault)


async def lock(stage: Stage, fault: Fault) -> None:
    """Somebody's session holds a table of a service for a while: every statement on it waits."""
    table = _table(fault)
    async with stage.during(fault, "postgres"), _session(stage) as session, session.transaction():
        await session.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(fault.seconds)
        if not await session.fetchval(_WAITING, table):
            stage.unfelt.add(fault)


async def slow_statements(stage: Stage, fault: Fault) -> None:
    """Every statement that writes to a table of a service takes `amount` seconds more, for a while, with the locks that it has.

    As on a disk or an index that has become slow: PostgreSQL answers, other statements are quick.
    """
    table = _table(fault)
    async with stage.during(fault, "postgres"), _session(stage) as session:
        await session.execute(_SLOW.format(table=table, seconds=fault.amount))
        try:
            await asyncio.sleep(fault.seconds)
            if not await session.fetchval("SELECT is_called FROM chaos.slowed"):
                stage.unfelt.add(fault)
        finally:
            await session.execute(f"DROP TRIGGER slow ON {table}")  # by itself: who holds the table wants the rest
            await session.execute("DROP SCHEMA chaos CASCADE")


async def rewind(stage: Stage, fault: Fault) -> None:
    """Have a service read its topics from their beginning, as `aiguilleur rewind` does."""
    await _execute(stage, f"UPDATE {fault.target}.position SET next_offset = 0 WHERE next_offset > 0")


async def repeat(stage: Stage, fault: Fault) -> None:
    """Have a relay publish the last archived events again, as after a lost acknowledgement."""
    last = f"SELECT id FROM {fault.target}.outbox WHERE sequence IS NOT NULL AND published_at IS NOT NULL ORDER BY id DESC"
    await _execute(
        stage,
        f"UPDATE {fault.target}.outbox SET published_at = NULL WHERE id IN ({last} LIMIT {_REPEATS})",
    )


def _table(fault: Fault) -> str:
    table, _, service = fault.target.partition(".")
    return f"{service}.{table}"


async def _execute(stage: Stage, statement: str) -> None:
    async with stage.turn["postgres"], _session(stage) as session:
        await session.execute(statement)


@asynccontextmanager
async def _session(stage: Stage) -> AsyncIterator[asyncpg.Connection]:
    session = await asyncpg.connect(stage.scene.town.admin_dsn)
    try:
        yield session
    finally:
        await session.close()
