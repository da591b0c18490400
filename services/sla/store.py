"""All SQL of the sla besides the shell's: the next instant of each running clock, and who has claimed it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.sla.domain.clocks import CLOCKS, Clocks
from shared.delivery.service import Row, Statement
from shared.events.escalations import ClockName

SAVE_DEADLINE = Statement(
    "save_deadline",
    """INSERT INTO sla.deadline (request_id, promise, what, due_at, authority)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
       ON CONFLICT (request_id, promise) DO UPDATE
           SET what = excluded.what, due_at = excluded.due_at, leased_until = NULL""",
)
DROP_DEADLINE = Statement(
    "drop_deadline",
    """DELETE FROM sla.deadline USING unnest($1::uuid[], $2::text[]) AS gone (request_id, promise)
       WHERE deadline.request_id = gone.request_id AND deadline.promise = gone.promise""",
)
CLAIM = """UPDATE sla.deadline SET leased_until = now() + $3::interval
    FROM (SELECT request_id, promise FROM sla.deadline
          WHERE due_at <= $1 AND (leased_until IS NULL OR leased_until < now())
          ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due
    WHERE deadline.request_id = due.request_id AND deadline.promise = due.promise
    RETURNING deadline.request_id, deadline.authority, deadline.promise, deadline.what, deadline.due_at"""
"""The lease is real time, by PostgreSQL's clock: it says how long the claimer may be alive, whatever the town's clock shows."""
NEXT = "SELECT due_at FROM sla.deadline ORDER BY due_at LIMIT 1"


class Claimed(NamedTuple):
    """A due row, ours for the time of the lease."""

    request_id: UUID
    authority: str
    promise: ClockName
    what: str
    due_at: datetime


def project(request_id: UUID, before: Clocks | None, after: Clocks | None) -> Iterable[Row]:
    """Mirror the next thing that each clock does; a clock that has nothing to do has no row."""
    for promise in CLOCKS:
        was = before.deadline(promise) if before else None
        now = after.deadline(promise) if after else None
        if now == was:
            continue
        if now is None or after is None:
            yield DROP_DEADLINE, (request_id, promise)
        else:
            yield SAVE_DEADLINE, (request_id, promise, now.what, now.at, after.authority)


class DeadlineStore:
    """The deadlines that are due. Each statement is a transaction of its own; no lock is held while a step runs."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def claim_due(self, now: datetime, *, limit: int, lease: timedelta) -> list[Claimed]:
        """Lease at most `limit` rows due at `now`, the oldest first; rows that another replica holds are left to it."""
        async with self._pool.acquire() as connection:
            return [Claimed(*row) for row in await connection.fetch(CLAIM, now, limit, lease)]

    async def find_next(self) -> datetime | None:
        """Return the earliest instant at which anything is due, claimed or not; None when there is nothing."""
        async with self._pool.acquire() as connection:
            found: datetime | None = await connection.fetchval(NEXT)
            return found
