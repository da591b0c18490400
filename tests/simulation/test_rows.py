"""The services' own tables: what their statements write in PostgreSQL is what the simulation writes in memory."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from services.intake.store import DELETE_KEY, INSERT_KEY, SAVE_TRACKING
from services.notifier.store import DROP_LETTER, SAVE_LETTER
from services.router.store import SAVE_ASSIGNMENT
from services.sla.store import DROP_DEADLINE, SAVE_DEADLINE
from services.stats.store import ADD_DURATION, DROP_EMPTY_CELL, MOVE_CELL
from shared.db.migrate import migrate
from shared.db.rights import role_of
from shared.events.topics import SERVICES
from tests.simulation.ending import play
from tests.simulation.findings import gather
from tests.simulation.quiet import quiet
from tests.simulation.settings import Settings
from tests.simulation.world import World

STATEMENTS = {
    one.name: one
    for one in (
        SAVE_TRACKING, INSERT_KEY, DELETE_KEY, SAVE_ASSIGNMENT, SAVE_DEADLINE, DROP_DEADLINE, SAVE_LETTER, DROP_LETTER, MOVE_CELL,
        DROP_EMPTY_CELL, ADD_DURATION,
    )
}  # fmt: skip
TABLES = (
    "intake.tracking",
    "router.assignment",
    "sla.deadline",
    "notifier.letter",
    "stats.cell",
    "stats.duration",
    "vault.request_key",
)


@pytest.mark.integration
@pytest.mark.parametrize("seed", [11, 12])
async def test_a_town_writes_the_same_rows(seed: int, database: str) -> None:
    """Given all that a town wrote while faults went on, in its order, PostgreSQL holds what the memory holds."""
    world = World(Settings(seed, requests=40))
    written: list[tuple[str, list[Any]]] = []
    write = world.rows.write

    def note(statement: str, rows: list[Any]) -> None:
        written.append((statement, rows))
        write(statement, rows)

    world.rows.write = note  # type: ignore[method-assign]  # listens in
    with quiet(world.references()):
        play(world)
    world.scheduler.close()
    assert {name for name, _ in written} == STATEMENTS.keys()
    found = gather(world).rows
    connection = await _migrated(database)
    try:
        for name, rows in written:
            await connection.execute(STATEMENTS[name].sql, *[list(column) for column in zip(*rows, strict=True)])
        for table in TABLES:
            columns = list(found[table][0]) if found[table] else ["request_id"]
            real = map(dict, await connection.fetch(f"SELECT {', '.join(columns)} FROM {table}"))  # names of ours
            assert _plain(real) == _plain(found[table]), table
    finally:
        await connection.close()


async def _migrated(database: str) -> asyncpg.Connection:
    host = database.split("@", 1)[1]
    addresses = {service: f"postgresql://{role_of(service)}:{secrets.token_hex(8)}@{host}" for service in SERVICES}
    await migrate(database, addresses, lambda _: None)
    return await asyncpg.connect(database)


def _plain(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return rows as texts in a fixed order, an instant always in the same words."""
    return sorted(
        tuple(value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value) for value in row.values())
        for row in rows
    )
