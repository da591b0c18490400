"""Time in: finds what is due and gives it to the step, a set at a time."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from services.sla.domain.clocks import Clocks
from services.sla.domain.step import Tick
from services.sla.store import Claimed, DeadlineStore
from shared import metrics
from shared.app import App
from shared.delivery.errors import UNAVAILABLE, Unavailable
from shared.delivery.points import reach
from shared.delivery.values import Input

SET: Final = 500
PARTS: Final = 3
"""How many transactions a set is fired in, side by side."""
LEASE: Final = timedelta(seconds=2)
PAUSE_SECONDS: Final = 0.2
LOOK_SECONDS: Final = 1.0
_AWAY: Final[tuple[type[Exception], ...]] = (Unavailable, *UNAVAILABLE)
_BACK_OFF_SECONDS: Final = (0.5, 1.0, 2.0, 5.0)


def parts_of(claimed: Sequence[Claimed]) -> list[list[Claimed]]:
    """Divide a set by request, so that parts share none and each request keeps its order."""
    parts: list[list[Claimed]] = [[] for _ in range(PARTS)]
    for one in claimed:
        parts[one.request_id.int % PARTS].append(one)
    return [part for part in parts if part]


class Ticker:
    """Fires deadlines of the application's clock. Several replicas may run: each row is claimed by one of them.

    A replica that dies with claimed rows leaves them to the others when the lease is over; whoever then ticks, the step
    alone decides whether it is still to be done.
    """

    def __init__(self, app: App[Clocks]) -> None:
        self._app = app
        self._store = DeadlineStore(app.pool)
        self._next: datetime | None = None
        self._looked = float("-inf")

    async def serve(self) -> None:
        """Fire what is due, for ever.

        The clock is read every 200 ms. PostgreSQL is asked when something known is due, and once a second for what has
        come in since: while nothing is due that is one look into an index.
        """
        failures = 0
        while True:
            try:
                if self._is_time():
                    await self.fire_due()
                failures = 0
            except _AWAY as error:
                self._app.log.warning("postgresql.unavailable", error=type(error).__name__, place="tick")
                if not isinstance(error, Unavailable):  # what the shell met, it has counted
                    metrics.UNAVAILABLE.labels("sla", "postgresql").inc()
                await asyncio.sleep(_BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)])
                failures += 1
            await asyncio.sleep(PAUSE_SECONDS)

    def _is_time(self) -> bool:
        due = self._next is not None and self._next <= self._app.clock.now()
        return due or time.monotonic() - self._looked >= LOOK_SECONDS

    async def fire_due(self) -> int:
        """Fire all that is due now, for each request in the order of the due instants, until nothing is; return how many fired.

        After a jump of the clock several levels of one request are due: each comes up again as soon as the one before is done.
        While one set is fired the next is claimed.
        Raises Unavailable, or what asyncpg raises when PostgreSQL is away.
        """
        self._looked = time.monotonic()
        fired = 0
        claimed = await self._claim() if await self._is_due() else []
        while claimed:
            just_fired, following = await self.side_by_side(self._fire(claimed), self._claim())
            reach("tick.after_fire")
            fired += just_fired
            claimed = following or (await self._claim() if await self._is_due() else [])  # what the last set brought up
        return fired

    async def side_by_side(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:  # Any: what each returns
        """Have all of it under way at once, and return what each of it returned."""
        return await asyncio.gather(*work)

    async def _is_due(self) -> bool:
        """Look at the first row: PostgreSQL keeps the plan of that look, while it plans a claim anew for each instant."""
        self._next = await self._store.find_next()
        return self._next is not None and self._next <= self._app.clock.now()

    async def _claim(self) -> list[Claimed]:
        reach("tick.before_claim")
        claimed = await self._store.claim_due(self._app.clock.now(), limit=SET, lease=LEASE)
        if claimed:
            reach("tick.after_claim")
        return claimed

    async def _fire(self, claimed: list[Claimed]) -> int:
        """Fire a set in parts, by request: while PostgreSQL writes one of them, the step decides the next."""
        return sum(await self.side_by_side(*map(self._fire_part, parts_of(claimed))))

    async def _fire_part(self, claimed: list[Claimed]) -> int:
        ticks = [Input(one.request_id, one.authority, Tick(promise=one.promise, what=one.what)) for one in claimed]
        results = await self._app.shell.run(ticks, lane="tick")
        now, late = self._app.clock.now(), metrics.LATE.labels("sla")
        fired = 0
        for one, result in zip(claimed, results, strict=True):
            if result.error is not None:
                name = type(result.error).__name__
                self._app.log.error(
                    "tick.failed", request_id=one.request_id, promise=one.promise, error=name, error_id="sla.tick"
                )
            elif result.events:
                fired += 1
                late.observe(max(0.0, (now - one.due_at).total_seconds()))
        return fired
