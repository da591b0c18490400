"""Deadlines and letters in memory or in PostgreSQL, behind one face: who claims what, and what is given back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg

from services.notifier.store import DROP_LETTER, SAVE_LETTER, LetterStore
from services.sla.store import DROP_DEADLINE, SAVE_DEADLINE, DeadlineStore
from shared.delivery.gate import Gate
from tests.delivery.sample import NOW
from tests.simulation.agenda import Agenda, Deadlines, Letters
from tests.simulation.connection import Locks, Pool
from tests.simulation.desk import Calm
from tests.simulation.rows import OwnRows
from tests.simulation.scheduler import Scheduler, microseconds

LEASE: Final = timedelta(minutes=3)
HOLDERS: Final = ("notifier-0/0", "notifier-1/0")


class Leases(Protocol):
    """The two stores, one letter store for each of HOLDERS, and the statements that fill their tables."""

    @property
    def deadlines(self) -> DeadlineStore:
        """The sla's."""
        ...

    @property
    def letters(self) -> Sequence[LetterStore]:
        """The notifier's."""
        ...

    async def write(self, statement: Any, *row: Any) -> None:
        """Run one of the services' own statements on one row."""
        ...

    async def move_letter(self, request_id: UUID, name: str, due_at: datetime) -> None:
        """Have a letter be due at an instant, and held by nobody."""
        ...

    async def pass_leases(self) -> None:
        """Let a lease's time pass, by the clock that leases go by."""
        ...


class RealLeases:
    """On PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        gate = Gate("notifier")
        gate.trust()
        self._pool = pool
        self.deadlines = DeadlineStore(pool)
        self.letters = [LetterStore(pool, gate, holder=holder) for holder in HOLDERS]

    async def write(self, statement: Any, *row: Any) -> None:
        await self._pool.execute(statement.sql, *[[value] for value in row])

    async def move_letter(self, request_id: UUID, name: str, due_at: datetime) -> None:
        await self._pool.execute(
            """UPDATE notifier.letter SET next_try_at = $3, leased_until = NULL, leased_by = NULL
               WHERE request_id = $1 AND name = $2""",
            request_id,
            name,
            due_at,
        )

    async def pass_leases(self) -> None:
        for table in ("sla.deadline", "notifier.letter"):
            await self._pool.execute(f"UPDATE {table} SET leased_until = leased_until - $1::interval", LEASE)


class MemoryLeases:
    """In memory."""

    def __init__(self) -> None:
        self._now = microseconds(NOW)
        rows = self._rows = OwnRows({})
        pool = Pool(Locks(Scheduler(NOW)), Calm())
        deadlines, letters = Agenda(rows.deadline, lambda: self._now), Agenda(rows.letter, lambda: self._now)
        self._letters = letters
        rows.on_deadline, rows.on_letter = deadlines.add, letters.add
        self.deadlines: DeadlineStore = Deadlines(pool, deadlines)  # type: ignore[assignment]  # stands for the store
        self.letters: Sequence[LetterStore] = [
            Letters(pool, letters, rows.letter, holder=holder)  # type: ignore[misc]  # stands for the store
            for holder in HOLDERS
        ]

    async def write(self, statement: Any, *row: Any) -> None:
        self._rows.write(statement.name, [row])

    async def move_letter(self, request_id: UUID, name: str, due_at: datetime) -> None:
        key = request_id, name
        row = self._rows.letter[key]
        row.due = microseconds(due_at)
        self._letters.release(row, key)

    async def pass_leases(self) -> None:
        self._now += LEASE // timedelta(microseconds=1) + 1_000_000


async def save_deadline(desk: Leases, request_id: UUID, due_at: datetime, promise: str = "answer") -> None:
    """Note down, or move, when a clock does its next thing."""
    await desk.write(SAVE_DEADLINE, request_id, promise, "due", due_at, "rivemont")


async def drop_deadline(desk: Leases, request_id: UUID, promise: str = "answer") -> None:
    """A clock has nothing to do any more."""
    await desk.write(DROP_DEADLINE, request_id, promise)


async def save_letter(desk: Leases, request_id: UUID, name: str = "receipt", *, due_at: datetime | None = None) -> None:
    """Note down a letter that is to be sent: at once, or (as after a failure) not before an instant."""
    await desk.write(SAVE_LETTER, request_id, name, "rivemont", "receipt", "usager", "voirie")
    if due_at is not None:
        await desk.move_letter(request_id, name, due_at)


async def drop_letter(desk: Leases, request_id: UUID, name: str = "receipt") -> None:
    """A letter is sent, or is not wanted any more."""
    await desk.write(DROP_LETTER, request_id, name)
