"""The sample service on a real database: its shell, its tables, and what they hold."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg

from shared.clock import SetClock
from shared.db.pool import open_pool
from shared.delivery.service import Service, Statement
from shared.delivery.shell import Shell
from shared.delivery.store import Place
from shared.delivery.tables import create_v1
from shared.delivery.values import RawRecord
from shared.organisation import Authority
from shared.vault.seal import Vault
from tests.delivery.sample import NOW, SAMPLE, Notes

SAVE_HEARD = Statement(
    "heard",
    """INSERT INTO notifier.heard (request_id, text) SELECT * FROM unnest($1::uuid[], $2::text[])
       ON CONFLICT (request_id) DO UPDATE SET text = excluded.text""",
)
PLACE: Place = ("requests.v1", 0)
KEYS = {1: b"k" * 32}


def project(request_id: UUID, _before: Notes | None, after: Notes | None) -> Any:
    """One row per request. A text called NUL holds what PostgreSQL does not take."""
    if after is not None and after.heard:
        yield SAVE_HEARD, (request_id, ",".join(after.heard).replace("NUL", "\0"))


WITH_ROWS: Service[Notes] = replace(SAMPLE, project=project, tables=("heard",))


class Bench:
    """A shell of the sample service and its database. Several benches on one database are twins."""

    def __init__(self, pool: asyncpg.Pool, authority: Authority, *, parked_limit: int = 100) -> None:
        self.pool = pool
        self.shell: Shell[Notes] = Shell(
            WITH_ROWS,
            pool=pool,
            clock=SetClock(NOW),
            authority_of=lambda _code: authority,
            vault=Vault(KEYS),
            parked_limit=parked_limit,
        )

    @classmethod
    async def open(cls, dsn: str, authority: Authority, **options: Any) -> "Bench":
        """Return a bench on an empty database, whose tables are made."""
        pool = await open_pool(dsn, name="test", largest=4)
        await pool.execute("CREATE SCHEMA notifier")
        for statement in create_v1("notifier", ("requests.v1", "handling.v1", "escalations.v1"), ("notifications.v1",)):
            await pool.execute(statement)
        await pool.execute("CREATE TABLE notifier.heard (request_id uuid PRIMARY KEY, text text NOT NULL)")
        return cls(pool, authority, **options)

    async def take(self, *records: RawRecord) -> dict[Place, int]:
        """Take records of one topic, numbered from where the position stands."""
        places: dict[Place, list[RawRecord]] = {}
        for raw in records:
            place = (raw.topic, raw.partition)
            next_offset = places[place][-1].offset + 1 if places.get(place) else await self.position(place)
            places.setdefault(place, []).append(raw._replace(offset=next_offset))
        return await self.shell.take(places)

    async def position(self, place: Place = PLACE) -> int:
        """Where the service stands in a partition."""
        sql = "SELECT next_offset FROM notifier.position WHERE topic = $1 AND partition = $2"
        return int(await self.pool.fetchval(sql, *place) or 0)

    async def heard(self, request_id: UUID) -> tuple[str, ...]:
        """What the service has heard of a request."""
        notes = await self.shell.find_state(request_id)
        return notes.heard if notes else ()

    async def parked(self) -> list[tuple[int | None, str, str | None]]:
        """Sequence, reason and resolution of all that was ever parked."""
        rows = await self.pool.fetch("SELECT sequence, why, resolution FROM notifier.parked ORDER BY id")
        return [tuple(row) for row in rows]

    async def said(self) -> Sequence[tuple[UUID, int]]:
        """What was put into the outbox, copies of parked records left out."""
        rows = await self.pool.fetch("SELECT request_id, sequence FROM notifier.outbox WHERE sequence IS NOT NULL ORDER BY id")
        return [(row[0], row[1]) for row in rows]
