"""What is due, in order, and who has claimed it: CLAIM and NEXT of the sla, CLAIM, PUT_BACK and RELEASE of the notifier.

Due instants are by the clock of whoever asks; leases by PostgreSQL's own, which is the scheduler's. Each statement is a
transaction of its own, and the faults of commits meet it as they do those of the shell: all that it does, it does at its commit.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, cast

from services.notifier.store import Claimed as ClaimedLetter
from services.notifier.store import PutBack
from services.sla.store import Claimed as ClaimedDeadline
from shared.events.escalations import ClockName
from tests.simulation.connection import Pool
from tests.simulation.rows import NEVER, Due, Key
from tests.simulation.scheduler import instant, microseconds


class Agenda:
    """The rows of one table by their due instants."""

    def __init__(self, rows: Mapping[Key, Due], now: Callable[[], int]) -> None:
        self._rows = rows
        self._now = now
        self._count = 0
        self._due: list[tuple[int, int, Key, Due]] = []
        self._leased: list[tuple[int, int, Key, Due]] = []
        self.unheard: Counter[str] = Counter()
        """Statements that were done, and whose caller never heard of it."""

    async def commit(self, pool: Pool, what: str, write: Callable[[], None]) -> None:
        """Have a statement write in a transaction of its own. Raises what asyncpg raises, whether it was done or not."""
        done = heard = False

        def write_it() -> None:
            nonlocal done
            write()
            done = True

        try:
            async with pool.acquire() as connection, connection.transaction():
                connection.writes.append(write_it)
            heard = True
        finally:
            if done and not heard:
                self.unheard[what] += 1

    async def commit_claim(
        self, pool: Pool, at: datetime, *, limit: int, lease: timedelta, holder: str | None = None
    ) -> list[tuple[Key, Due]]:
        """Lease rows as `claim` does, in a transaction; where nothing is due there is nothing that could be lost."""
        now, claimed = microseconds(at), list[tuple[Key, Due]]()
        span = lease // timedelta(microseconds=1)
        due, _ = self.next()
        if due is None or due > now:
            async with pool.acquire():
                return []
        await self.commit(pool, "claim", lambda: claimed.extend(self.claim(now, limit=limit, lease=span, holder=holder)))
        return claimed

    def add(self, key: Key, row: Due) -> None:
        """Note a row down under its due instant."""
        self._count += 1
        heapq.heappush(self._due, (row.due, self._count, key, row))

    def claim(self, now: int, *, limit: int, lease: int, holder: str | None = None) -> list[tuple[Key, Due]]:
        """Lease at most `limit` rows that are due at `now`, the oldest first; those that others hold are left to them."""
        own = self._now()
        self._take_back(own)
        claimed: list[tuple[Key, Due]] = []
        while self._due and self._due[0][0] <= now and len(claimed) < limit:
            due, _, key, row = heapq.heappop(self._due)
            if self._rows.get(key) is not row or row.due != due:
                continue
            if row.leased_until < own:
                row.leased_until, row.leased_by = own + lease, holder
                claimed.append((key, row))
            self._count += 1
            heapq.heappush(self._leased, (row.leased_until, self._count, key, row))
        return claimed

    def _take_back(self, own: int) -> None:
        """Look again at rows whose lease is over."""
        while self._leased and self._leased[0][0] < own:
            _, _, key, row = heapq.heappop(self._leased)
            if self._rows.get(key) is row and row.leased_until < own:
                self.add(key, row)

    def release(self, row: Due, key: Key) -> None:
        """Give a row back."""
        row.leased_until, row.leased_by = NEVER, None
        self.add(key, row)

    def next(self) -> tuple[int | None, int | None]:
        """Return when the next row is due, by the askers' clock, and when the next lease is over, by PostgreSQL's.

        A lease that is over is none to wait for: who was not told so would look again and again while nothing is due.
        """
        self._take_back(self._now())
        while self._due and (self._rows.get(self._due[0][2]) is not self._due[0][3] or self._due[0][3].due != self._due[0][0]):
            heapq.heappop(self._due)
        while self._leased and self._rows.get(self._leased[0][2]) is not self._leased[0][3]:
            heapq.heappop(self._leased)
        return self._due[0][0] if self._due else None, self._leased[0][0] if self._leased else None

    def first(self) -> int | None:
        """Return the earliest instant at which a row is due, claimed or not."""
        due, _ = self.next()
        claimed = (row.due for _, _, key, row in self._leased if self._rows.get(key) is row)
        return min((at for at in (due, *claimed) if at is not None), default=None)


class Deadlines:
    """Stands for `services.sla.store.DeadlineStore`, for one process."""

    def __init__(self, pool: Pool, agenda: Agenda) -> None:
        self._pool = pool
        self._agenda = agenda

    async def claim_due(self, now: datetime, *, limit: int, lease: timedelta) -> list[ClaimedDeadline]:
        """Lease rows that are due."""
        claimed = await self._agenda.commit_claim(self._pool, now, limit=limit, lease=lease)
        found = []
        for (request_id, promise), row in claimed:
            assert row.due_at is not None, "a deadline has an instant"
            found.append(ClaimedDeadline(request_id, row.authority, cast(ClockName, promise), row.what, row.due_at))
        return found

    async def find_next(self) -> datetime | None:
        """Return the earliest instant at which anything is due, claimed or not."""
        async with self._pool.acquire():
            first = self._agenda.first()
        return None if first is None else instant(first)


class Letters:
    """Stands for `services.notifier.store.LetterStore`, for one connection of one process."""

    def __init__(self, pool: Pool, agenda: Agenda, rows: dict[Key, Due], *, holder: str) -> None:
        self._pool = pool
        self._agenda = agenda
        self._rows = rows
        self._holder: Final = holder
        self.leased_until = NEVER
        """When the lease of the last set is over: it began with the commit, however late that was heard of."""

    async def release_mine(self) -> None:
        """Give back what an earlier run had claimed."""
        if self._mine():
            await self._agenda.commit(self._pool, "release", self._release_mine)
        else:
            async with self._pool.acquire():
                pass

    def _mine(self) -> list[tuple[Key, Due]]:
        return [(key, row) for key, row in self._rows.items() if row.leased_by == self._holder]

    def _release_mine(self) -> None:
        for key, row in self._mine():
            self._agenda.release(row, key)

    async def claim_due(self, now: datetime, *, limit: int, lease: timedelta) -> list[ClaimedLetter]:
        """Lease letters that are due."""
        claimed = await self._agenda.commit_claim(self._pool, now, limit=limit, lease=lease, holder=self._holder)
        self.leased_until = min((row.leased_until for _, row in claimed), default=NEVER)
        return [ClaimedLetter(*key, row.attempts) for key, row in claimed]

    async def put_back(self, letters: list[PutBack]) -> None:
        """Give letters back that we hold, to be tried again."""
        await self._agenda.commit(self._pool, "put back", lambda: self._put_back(letters))

    def _put_back(self, letters: list[PutBack]) -> None:
        for one in letters:
            key = one.request_id, one.name
            row = self._rows.get(key)
            if row is None or row.leased_by != self._holder:
                continue
            row.attempts = one.attempts
            if one.next_try_at is not None:
                row.due = microseconds(one.next_try_at)
            self._agenda.release(row, key)
