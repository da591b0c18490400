"""Keeping no longer than was said: what has been closed for the authority's `legal.retention_months` is erased."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from services.intake.domain.refusal import Refused
from services.intake.domain.request import TrackedRequest
from services.intake.erase import erasing
from services.intake.store import Closed, find_closed
from shared.app import App
from shared.delivery.errors import Unavailable
from shared.organisation import Authority

SET: Final = 500
EVERY: Final = timedelta(hours=1)
_LOOK_SECONDS: Final = 1.0
_FIRST: Final = Closed(UUID(int=0), datetime(1970, 1, 1, tzinfo=UTC))


class Retention:
    """Erases as a usager's own click does (`erase.py`): the key is destroyed, everybody is told; the statistics keep counting.

    Several replicas may run: what another one erased meanwhile changes nothing.
    """

    def __init__(self, app: App[TrackedRequest], *, limit: int = SET) -> None:
        self._app = app
        self._limit = limit
        self._looked: datetime | None = None

    async def serve(self) -> None:
        """Erase what is due when the service starts, and each hour of the application's clock, for ever."""
        while True:
            now = self._app.clock.now()
            if self._looked is None or abs(now - self._looked) >= EVERY:
                try:
                    await self.erase_due()
                    self._looked = now
                except Unavailable as error:
                    self._app.log.warning("postgresql.unavailable", error=type(error).__name__, place="retention")
            await asyncio.sleep(_LOOK_SECONDS)

    async def erase_due(self) -> int:
        """Erase all that is due now; return how many requests were. Raises Unavailable: what is left is due at the next look."""
        return sum([await self._erase_of(one) for one in self._app.organisation.current.authorities.values()])

    async def _erase_of(self, authority: Authority) -> int:
        now, last, erased = self._app.clock.now(), _FIRST, 0
        months = authority.legal.retention_months
        while found := await find_closed(self._app.pool, authority.code, now=now, months=months, after=last, limit=self._limit):
            last = found[-1]
            erased += await self._erase(found, authority.code)
        if erased:
            self._app.log.info("retention.erased", authority=authority.code, count=erased)
        return erased

    async def _erase(self, found: list[Closed], authority: str) -> int:
        inputs = [erasing(one.request_id, authority, closed_at=one.closed_at) for one in found]
        erased = 0
        for result in await self._app.shell.run(inputs, lane="tick"):
            if result.error is None:
                erased += bool(result.events)
            elif not isinstance(result.error, Refused):  # refused: it was reopened meanwhile
                error = type(result.error).__name__
                self._app.log.error("retention.failed", request_id=result.request_id, error=error, error_id="intake.retention")
        return erased
