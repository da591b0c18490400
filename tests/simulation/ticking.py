"""The sla's ticks: how the shipped Ticker claims and fires, woken when something is due."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from services.sla.ticks import Ticker
from shared.delivery.errors import UNAVAILABLE, Unavailable
from tests.simulation.agenda import Deadlines
from tests.simulation.scheduler import MILLISECOND, SECOND, pause

if TYPE_CHECKING:
    from tests.simulation.process import Process

AWAY: Final[tuple[type[Exception], ...]] = (Unavailable, *UNAVAILABLE)
PAUSE = 200 * MILLISECOND


class MemoryTicker(Ticker):
    """The Ticker of one process. It claims and fires as shipped; the statements of its store are told again in memory."""

    def __init__(self, process: "Process") -> None:
        super().__init__(process)  # type: ignore[arg-type]  # a process stands for the application
        self._store = Deadlines(process.pool, process.world.deadlines)  # type: ignore[assignment]  # stands for the store

    async def side_by_side(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        """Do one after another, the last first: the order that can go wrong, as it claims before it fires."""
        done: list[Any] = []
        try:
            for one in reversed(work):
                done.append(await one)
        finally:
            for one in work:
                one.close()
        return done[::-1]


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
