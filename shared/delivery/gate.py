"""The gate before everything that changes a service's state: shut until the database is known not to be older than the log.

A PostgreSQL that was restored to an earlier time knows nothing of what was done since, and would do it again under the same
numbers. So at the start, and whenever another run of PostgreSQL answers (a restore always is one), the gate is shut until the
end of the log was compared (shared/delivery/ahead.py). While it is shut nothing is published, nothing is taken, a click is
refused with "try again"; a new request is accepted: nothing can be known of it, and Kafka may be away for long.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiokafka.errors import KafkaError

from shared import metrics
from shared.db.pool import Connection
from shared.delivery.ahead import Name
from shared.delivery.errors import UNAVAILABLE, Unavailable
from shared.delivery.points import reach
from shared.log import get_log

LOOK_AGAIN_SECONDS = 30.0
TOLD_SECONDS = 10.0
UNCOMPARED = "the database was not compared with the end of the log yet; that needs Kafka"
AHEAD = (
    "the log holds events that the database does not know: it was restored to an earlier time. Nothing is published or taken "
    "until they are reconciled: stop all services, then `aiguilleur reconcile` (docs/operations/restore-postgresql.md)"
)
_RUN = "SELECT pg_postmaster_start_time()::text || ' ' || (SELECT oid FROM pg_database WHERE datname = current_database())"


class Gate:
    """One per process and service. `why` says why it is shut; None: it is open. Not `watched`, it is open for ever."""

    def __init__(self, service: str, *, watched: bool = True) -> None:
        self._service = service
        self._watched = watched
        self._log = get_log(service)
        self.why: str | None = UNCOMPARED if watched else None
        self._shut_at = time.monotonic()
        self._run: str | None = None
        self._opened, self._doubted = asyncio.Event(), asyncio.Event()
        (self._doubted if watched else self._opened).set()

    @property
    def is_open(self) -> bool:
        """Whether states may be changed."""
        return self.why is None

    @property
    def is_ahead(self) -> bool:
        """Whether the log is ahead of the database: only a person can go on from here."""
        return self.why == AHEAD

    @property
    def told(self) -> str | None:
        """What a person should know of it: why it is shut, once it has been for longer than a start explains."""
        return self.why if self.is_ahead or time.monotonic() - self._shut_at > TOLD_SECONDS else None

    def require(self) -> None:
        """Raise Unavailable unless it is open. To be asked on a connection that is held already: a new one may shut it."""
        if self.why is not None:
            raise Unavailable(self.why)

    async def look(self, connection: Connection) -> None:
        """Shut the gate if this new connection leads to another run of PostgreSQL than the one that was compared."""
        if not self._watched:
            return
        run = await connection.fetchval(_RUN)
        if run != self._run:
            known, self._run = self._run is not None, run
            if known:
                self._shut(UNCOMPARED)

    def trust(self) -> None:
        """Open it without a comparison: for whoever knows the database, such as a test that has just made it."""
        self._open()

    async def pass_(self) -> None:
        """Return when it is open."""
        await self._opened.wait()

    async def wait(self, seconds: float) -> None:
        """Wait so long before another try; while it is shut, only until it opens."""
        if self.is_open:
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._opened.wait()

    async def serve(self, find_ahead: Callable[[], Awaitable[Name | None]]) -> None:
        """Compare whenever there is doubt, for ever; and again now and then while the log is ahead."""
        delay = 0.2
        while True:
            await self._doubted.wait()
            try:
                await self.compare(find_ahead)
                delay = 0.2
            except (KafkaError, *UNAVAILABLE) as error:
                self._log.warning("gate.comparison_postponed", error=type(error).__name__)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)
            if self.is_ahead:
                await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def compare(self, find_ahead: Callable[[], Awaitable[Name | None]]) -> None:
        """Compare once, and open the gate or say that the log is ahead. Raises what `find_ahead` raises."""
        run = self._run
        unknown = await find_ahead()
        reach("start.gate")
        if run is not None and run != self._run:
            return  # PostgreSQL was started again meanwhile
        if unknown is None:
            self._open()
            return
        self._shut(AHEAD)
        metrics.LOG_AHEAD.labels(self._service).set(1)
        told: dict[str, Any] = {"topic": unknown.topic, "request_id": unknown.request_id, "sequence": unknown.sequence}
        self._log.error("log.ahead_of_database", error_id=f"{self._service}.log_ahead", **told)

    def _open(self) -> None:
        metrics.LOG_AHEAD.labels(self._service).set(0)
        self.why = None
        self._doubted.clear()
        self._opened.set()

    def _shut(self, why: str) -> None:
        if self.is_open:
            self._shut_at = time.monotonic()
        self.why = why
        self._opened.clear()
        self._doubted.set()
