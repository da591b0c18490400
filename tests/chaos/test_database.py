"""Faults of PostgreSQL: whose write found no room is read from its log, and statements are slow for a while only."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from deploy.local.postgres import PostgresServer
from tests.chaos.database import fill_disk, slow_statements
from tests.chaos.stage import Fault, Stage

_LOG = """2026-11-27 17:00:00.000 UTC [11] aiguilleur_router ERROR:  could not extend file "base/16384/16999": File too large
2026-11-27 17:00:00.000 UTC [11] aiguilleur_router STATEMENT:  INSERT INTO router.outbox VALUES ('File too large')
2026-11-27 17:00:00.100 UTC [11] aiguilleur_router ERROR:  could not extend file "base/16384/16999": File too large
2026-11-27 17:00:00.200 UTC [7] ERROR:  could not write block 129 in file "base/16384/16999": File too large
2026-11-27 17:00:00.300 UTC [12] aiguilleur_sla ERROR:  canceling statement due to user request
"""


def test_whose_write_found_no_room_is_read_from_the_log(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path, port=1)
    (tmp_path / "postgres.log").write_text(_LOG)
    assert server.refused_writes() == {"aiguilleur_router": 2, "": 1}


@pytest.mark.parametrize(("log", "struck"), [(_LOG, ["postgres.router"]), ("", [])])
async def test_a_full_disk_strikes_whose_writes_found_no_room(tmp_path: Path, log: str, struck: list[str]) -> None:
    server = PostgresServer(tmp_path, port=1)
    (tmp_path / "postgres.log").write_text("")
    limits: list[int | None] = []

    def limit_files(most_bytes: int | None) -> None:
        limits.append(most_bytes)
        (tmp_path / "postgres.log").write_text(log)

    scene: Any = SimpleNamespace(postgres=SimpleNamespace(limit_files=limit_files, refused_writes=server.refused_writes))
    stage = _stage(scene)
    await fill_disk(stage, Fault(0, "disk_full", "postgres", 0.01))
    assert limits == [1_048_576, None]
    assert [one.fault.target for one in stage.spans] == [*struck, "postgres"]
    assert bool(stage.unfelt) != bool(struck)


@pytest.fixture
async def table(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database that has a table of the router's."""
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE SCHEMA router; CREATE TABLE router.outbox (id bigint)")
    yield connection
    await connection.close()


@pytest.mark.integration
async def test_who_writes_waits_while_statements_are_slow_and_who_reads_does_not(
    database: str, table: asyncpg.Connection
) -> None:
    stage = _stage(SimpleNamespace(town=SimpleNamespace(admin_dsn=database)))
    breaking = asyncio.create_task(slow_statements(stage, _SLOW))
    while not await table.fetchval("SELECT count(*) FROM pg_trigger WHERE tgname = 'slow'"):
        await asyncio.sleep(0.01)
    assert await _seconds(table, "INSERT INTO router.outbox VALUES (1), (2)") >= _SLOW.amount
    assert await _seconds(table, "SELECT * FROM router.outbox") < _SLOW.amount
    await breaking
    assert await _seconds(table, "UPDATE router.outbox SET id = 3") < _SLOW.amount
    assert stage.unfelt == set()
    assert await table.fetchval("SELECT to_regnamespace('chaos')") is None


@pytest.mark.integration
async def test_slow_statements_meet_nobody_who_does_not_write(database: str, table: asyncpg.Connection) -> None:
    stage = _stage(SimpleNamespace(town=SimpleNamespace(admin_dsn=database)))
    await slow_statements(stage, _SLOW)
    assert await table.fetchval("SELECT count(*) FROM router.outbox") == 0
    assert stage.unfelt == {_SLOW}


_SLOW = Fault(0, "slow_statements", "outbox.router", 0.8, 0.4)


def _stage(scene: Any) -> Stage:
    """Return what faults are made on. Any: the part of a scene that they need."""
    return Stage(scene, load=SimpleNamespace())  # type: ignore[arg-type]  # nobody posts here


async def _seconds(connection: asyncpg.Connection, statement: str) -> float:
    began = time.monotonic()
    await connection.execute(statement)
    return time.monotonic() - began
