"""Working time the slow way: look at the wall clock at every minute that passes. Shares no code with the engine."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Week = dict[int, list[tuple[time, time]]]
MINUTE = timedelta(minutes=1)

# Legal holidays of metropolitan France, copied from the published list, for the years that the tests visit.
HOLIDAYS = {
    date(year, month, day)
    for year, days in {
        2024: [(1, 1), (4, 1), (5, 1), (5, 8), (5, 9), (5, 20), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)],
        2025: [(1, 1), (4, 21), (5, 1), (5, 8), (5, 29), (6, 9), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)],
        2026: [(1, 1), (4, 6), (5, 1), (5, 8), (5, 14), (5, 25), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)],
        2027: [(1, 1), (3, 29), (5, 1), (5, 6), (5, 8), (5, 17), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)],
    }.items()
    for month, day in days
}


class Oracle:
    """Minute by minute; everything must start and end on whole minutes."""

    def __init__(self, zone: str, week: Week, days_off: set[date], days_on: set[date]) -> None:
        self.zone = ZoneInfo(zone)
        self.week = week
        self.closed_days = (HOLIDAYS - days_on) | days_off

    def is_open(self, at: datetime) -> bool:
        local = at.astimezone(self.zone)
        if local.date() in self.closed_days:
            return False
        clock = local.hour * 60 + local.minute
        for opens, closes in self.week.get(local.weekday(), []):
            last = (closes.hour * 60 + closes.minute) or 24 * 60
            if opens.hour * 60 + opens.minute <= clock < last:
                return True
        return False

    def due(self, start: datetime, minutes: int) -> datetime:
        for instant in _every_minute(start):
            if minutes == 0:
                return instant
            minutes -= self.is_open(instant)
        raise AssertionError("unreachable")

    def elapsed_minutes(self, start: datetime, end: datetime) -> int:
        count = int((end - start) / MINUTE)
        return sum(self.is_open(instant) for instant, _ in zip(_every_minute(start), range(count), strict=False))

    def next_opening(self, at: datetime) -> datetime:
        return next(instant for instant in _every_minute(at) if self.is_open(instant))


def _every_minute(start: datetime) -> Iterator[datetime]:
    instant = start.astimezone(UTC)
    while True:
        yield instant
        instant += MINUTE
