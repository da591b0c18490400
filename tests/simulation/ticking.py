"""The sla's ticks: how the shipped Ticker claims and fires, woken when something is due."""

from typing import TYPE_CHECKING, Final

from services.sla.ticks import Ticker, parts_of
from shared.delivery.errors import UNAVAILABLE, Unavailable
from tests.simulation.agenda import Deadlines
from tests.simulation.scheduler import MILLISECOND, SECOND, pause

if TYPE_CHECKING:
    from tests.simulation.process import Process

AWAY: Final[tuple[type[Exception], ...]] = (Unavailable, *UNAVAILABLE)
PAUSE = 200 * MILLISECOND


class MemoryTicker(Ticker):
    """The Ticker of one process. What it does side by side is done in the order that can go wrong: claim, then fire."""

    def __init__(self, process: "Process") -> None:
        super().__init__(process)  # type: ignore[arg-type]  # a process stands for the application
        self._store = Deadlines(process, process.world.deadlines)  # type: ignore[assignment]  # stands for the store

    async def fire_due(self) -> int:
        fired = 0
        claimed = await self._claim()
        while claimed:
            following = await self._claim()
            for part in parts_of(claimed):
                fired += await self._fire_part(part)
            claimed = following or await self._claim()
        return fired


async def tick(process: "Process") -> None:
    """Fire what is due, for ever. The Ticker's own loop looks every 200 ms; this one sleeps until there is something to see."""
    ticker = MemoryTicker(process)
    while True:
        try:
            await ticker.fire_due()
        except AWAY:
            await pause(int(SECOND * (0.5 + process.random.random())))
            continue
        await pause(_until_next(process))


def _until_next(process: "Process") -> int | None:
    due, leased = process.world.deadlines.next()
    now = process.world.scheduler.now
    waits = [due - now - process.skew] if due is not None else []
    if leased is not None:
        waits.append(leased - now)
    return max(0, min(waits)) + 1 + int(process.random.random() * PAUSE) if waits else None
