"""All SQL of the notifier besides the shell's: the letters to send, who has claimed them, and the requests' keys."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.notifier.domain.correspondence import Correspondence
from shared.delivery.gate import Gate
from shared.delivery.service import Row, Statement
from shared.delivery.store import Connection

SAVE_LETTER = Statement(
    "save_letter",
    """INSERT INTO notifier.letter (request_id, name, authority, kind, recipient, service)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
       ON CONFLICT (request_id, name) DO NOTHING""",
)
DROP_LETTER = Statement(
    "drop_letter",
    """DELETE FROM notifier.letter USING unnest($1::uuid[], $2::text[]) AS gone (request_id, name)
       WHERE letter.request_id = gone.request_id AND letter.name = gone.name""",
)
CLAIM = """UPDATE notifier.letter SET leased_until = now() + $3::interval, leased_by = $4
    FROM (SELECT request_id, name FROM notifier.letter
          WHERE next_try_at <= $1 AND (leased_until IS NULL OR leased_until < now())
          ORDER BY next_try_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due
    WHERE letter.request_id = due.request_id AND letter.name = due.name
    RETURNING letter.request_id, letter.name, letter.attempts"""
"""The lease is real time, by PostgreSQL's clock: it says how long the claimer may be alive, whatever the town's clock shows."""
PUT_BACK = """UPDATE notifier.letter SET attempts = back.attempts, leased_until = NULL, leased_by = NULL,
        next_try_at = coalesce(back.next_try_at, letter.next_try_at)
    FROM unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[]) AS back (request_id, name, attempts, next_try_at)
    WHERE letter.request_id = back.request_id AND letter.name = back.name AND letter.leased_by = $5"""
"""Of a letter that another holds by now, since our lease was over, the outcome is the other's to tell: it may be sending it."""
RELEASE = "UPDATE notifier.letter SET leased_until = NULL, leased_by = NULL WHERE leased_by = $1"
KEYS = "SELECT request_id, wrapped FROM vault.request_key WHERE request_id = ANY($1::uuid[])"


class Claimed(NamedTuple):
    """A letter that is due, ours for the time of the lease. `attempts` were made before."""

    request_id: UUID
    name: str
    attempts: int


class PutBack(NamedTuple):
    """A letter that stays to be sent. `next_try_at`: not before; None: as before."""

    request_id: UUID
    name: str
    attempts: int
    next_try_at: datetime | None


def project(request_id: UUID, before: Correspondence | None, after: Correspondence | None) -> Iterable[Row]:
    """Mirror the letters to send. What operates (attempts, next try, lease) is never touched."""
    was = before.due_letters if before else {}
    now = after.due_letters if after else {}
    for name, letter in now.items():
        if name not in was and after is not None:
            yield SAVE_LETTER, (request_id, name, after.authority, letter.kind, letter.recipient, letter.service)
    for name in was:
        if name not in now:
            yield DROP_LETTER, (request_id, name)


class LetterStore:
    """The letters that are due. Each statement is a transaction of its own; no lock is held while a mail is sent."""

    def __init__(self, pool: asyncpg.Pool, gate: Gate, *, holder: str) -> None:
        self._pool = pool
        self._gate = gate
        self._holder = holder

    async def release_mine(self) -> None:
        """Give back what an earlier run of this replica had claimed when it died."""
        async with self._pool.acquire() as connection:
            await connection.execute(RELEASE, self._holder)

    async def claim_due(self, now: datetime, *, limit: int, lease: timedelta) -> list[Claimed]:
        """Lease at most `limit` letters due at `now`; those that another claimer holds are left to it. Raises Unavailable."""
        async with self._pool.acquire() as connection:
            self._gate.require()
            return [Claimed(*row) for row in await connection.fetch(CLAIM, now, limit, lease, self._holder)]

    async def put_back(self, letters: Sequence[PutBack]) -> None:
        """Give letters back that we hold, to be tried again."""
        async with self._pool.acquire() as connection:
            await connection.execute(PUT_BACK, *[list(column) for column in zip(*letters, strict=True)], self._holder)


async def find_wrapped_keys(connection: Connection, request_ids: Iterable[UUID]) -> dict[UUID, bytes]:
    """Return the wrapped keys of those requests that still have one."""
    rows = await connection.fetch(KEYS, list(request_ids))
    return {row["request_id"]: row["wrapped"] for row in rows}
