"""What stands for PostgreSQL: a pool whose connections open transactions, hold row locks, and commit all or nothing.

READ COMMITTED, as the shell uses it: what is read is what was committed by then, rows read "for update" stay locked until
the end, a row that another transaction has written but not committed is waited for.
"""

from collections.abc import Callable, Hashable
from types import TracebackType
from typing import Protocol

import asyncpg

from shared.db.pool import COMMAND_SECONDS, IDLE_SECONDS
from tests.simulation.scheduler import SECOND, Scheduler, Task, pause

COMMAND = COMMAND_SECONDS * SECOND
IDLE = IDLE_SECONDS * SECOND


class Troubles(Protocol):
    """What may go wrong between two steps of a transaction; given to each connection by the process that it belongs to."""

    def at(self, point: str) -> int | None:
        """Return how long to wait at this point, None for not at all. Raises Killed, or what asyncpg raises."""
        ...

    def commits(self) -> bool | None:
        """Return None when a commit answers; else whether it was done although the answer is lost."""
        ...

    def unheard(self, parked: int) -> None:
        """Hear that a commit was done, which parked so many records, and that who committed never heard of it."""
        ...


class Locks:
    """The locks of one service's rows, by key."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._holders: dict[Hashable, Connection] = {}
        self._waiting: list[Task] = []
        self.waits = 0

    @property
    def held(self) -> list[Hashable]:
        """The rows that open transactions have locked."""
        return list(self._holders)

    def grab(self, connection: "Connection", key: Hashable) -> bool:
        """Lock a row that nobody else holds, and return whether it is locked now."""
        holder = self._holders.setdefault(key, connection)
        if holder is connection:
            connection.locked.append(key)
            return True
        return False

    async def take(self, connection: "Connection", key: Hashable) -> None:
        """Lock a row, waiting for its holder. Raises DeadlockDetectedError."""
        holders, scheduler = self._holders, self._scheduler
        patience = scheduler.now + COMMAND
        while (holder := holders.get(key)) is not None and holder is not connection:
            self.waits += 1
            connection.waits_for = holder
            above: Connection | None = holder
            while above is not None:
                above = above.waits_for
                if above is connection:
                    connection.waits_for = None
                    raise asyncpg.DeadlockDetectedError("deadlock detected")
            task = scheduler.current
            assert task is not None, "only a task can wait"
            self._waiting.append(task)
            await pause(max(1, patience - scheduler.now))
            connection.waits_for = None
            if scheduler.now >= patience:
                raise TimeoutError
        holders[key] = connection
        connection.locked.append(key)

    def release(self, connection: "Connection") -> None:
        """Give up all that a transaction holds."""
        drop = self._holders.pop
        for key in connection.locked:
            drop(key, None)
        connection.locked.clear()
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for task in waiting:
                self._scheduler.wake(task)


class Connection:
    """A connection, which is its own transaction. `writes` are done in order when it commits."""

    __slots__ = ("_locks", "_troubles", "locked", "open", "parked", "waits_for", "writes")

    def __init__(self, locks: Locks, troubles: Troubles) -> None:
        self._locks = locks
        self._troubles = troubles
        self.locked: list[Hashable] = []
        self.writes: list[Callable[[], None]] = []
        self.parked = 0
        """How many records the writes park."""
        self.waits_for: Connection | None = None
        self.open = False

    async def __aenter__(self) -> "Connection":
        if (wait := self._troubles.at("acquire")) is not None:
            await pause(wait)
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def transaction(self) -> "Transaction":
        """Begin a transaction."""
        return Transaction(self, self._locks, self._troubles)

    async def wait(self, microseconds: int) -> None:
        """Do nothing for a while within the transaction. Raises ConnectionResetError when PostgreSQL bears it no longer."""
        if microseconds <= IDLE:
            await pause(microseconds)
            return
        await pause(IDLE)
        self.roll_back()
        await pause(microseconds - IDLE)
        raise ConnectionResetError("idle in transaction for too long")

    def roll_back(self) -> None:
        """Forget what was not committed."""
        self.writes.clear()
        self.parked = 0
        self.waits_for = None
        self._locks.release(self)


class Transaction:
    """BEGIN ... COMMIT, or ROLLBACK when anything is raised within."""

    __slots__ = ("_connection", "_locks", "_troubles")

    def __init__(self, connection: Connection, locks: Locks, troubles: Troubles) -> None:
        self._connection = connection
        self._locks = locks
        self._troubles = troubles

    async def __aenter__(self) -> "Transaction":
        self._connection.open = True
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        connection, troubles = self._connection, self._troubles
        parked = connection.parked
        try:
            if kind is not None:
                return
            if (wait := troubles.at("before_commit")) is not None:
                await connection.wait(wait)
            unknown = troubles.commits()
            if unknown is not False:
                for write in connection.writes:
                    write()
            connection.writes.clear()
            if unknown is not None:
                if unknown:
                    troubles.unheard(parked)
                raise ConnectionResetError("the connection broke at the commit")
        finally:
            connection.open = False
            connection.roll_back()
        await self._answer(parked)

    async def _answer(self, parked: int) -> None:
        """Say that the commit was done, a little later. Raises what breaks in between."""
        answered = False
        try:
            if (wait := self._troubles.at("after_commit")) is not None:
                await pause(wait)
            answered = True
        finally:
            if not answered:
                self._troubles.unheard(parked)


class Pool:
    """The connections of one process."""

    def __init__(self, locks: Locks, troubles: Troubles) -> None:
        self._locks = locks
        self._troubles = troubles

    def acquire(self) -> Connection:
        """Return a connection, to be entered."""
        return Connection(self._locks, self._troubles)
