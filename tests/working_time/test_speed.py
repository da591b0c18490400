"""How many due dates per second, beside the day walk that a first version would do.

`python -m tests.working_time.test_speed` prints the figures. The test asks for a ratio, as it holds on a busy machine.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

from shared.working_time import Calendar, WorkingTime

PARIS = ZoneInfo("Europe/Paris")
DAY = ((time(8, 30), time(12)), (time(13, 30), time(17, 30)))
CALENDAR = Calendar(code="office", version=1, timezone="Europe/Paris", week=(DAY,) * 5 + ((), ()))
DELAY_SECONDS = 48 * 3600


def test_due_dates_are_at_least_eight_times_as_fast_as_a_day_walk() -> None:
    fast, slow = measure()
    assert fast / slow > 8, f"{fast:,.0f}/s against {slow:,.0f}/s"


def measure() -> tuple[float, float]:
    """Due dates per second: ours, and the day walk's; the best of three alternating rounds. Checks that they agree."""
    random.seed(7)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    starts = [first + timedelta(seconds=random.randrange(365 * 86_400)) for _ in range(20_000)]
    engine = WorkingTime(CALENDAR)
    assert all(engine.due(start, DELAY_SECONDS) == day_walk(start, DELAY_SECONDS) for start in starts[:2_000])
    rounds = [(_rate(engine.due, starts), _rate(day_walk, starts[:2_000])) for _ in range(3)]
    return max(fast for fast, _ in rounds), max(slow for _, slow in rounds)


def day_walk(start: datetime, working_seconds: int) -> datetime:
    """The naive way: from day to day, from period to period."""
    local = start.astimezone(PARIS)
    day = local.date()
    while True:
        for opens, closes in CALENDAR.periods_of(day):
            begins = max(start, datetime.combine(day, opens, PARIS).astimezone(UTC))
            ends = datetime.combine(day, closes, PARIS).astimezone(UTC)
            available = (ends - begins).total_seconds()
            if available >= working_seconds:
                return begins + timedelta(seconds=working_seconds)
            working_seconds -= max(0, int(available))
        day += timedelta(days=1)


def _rate(due: Callable[[datetime, int], datetime], starts: list[datetime]) -> float:
    began = perf_counter()
    for start in starts:
        due(start, DELAY_SECONDS)
    return len(starts) / (perf_counter() - began)


if __name__ == "__main__":
    ours, naive = measure()
    print(f"due dates: {ours:,.0f}/s; day walk: {naive:,.0f}/s; ratio {ours / naive:.1f}")
