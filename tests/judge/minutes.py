"""Due instants from a table of minutes, each asked of the oracle that looks at the wall clock: shares no code with the engine."""

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from shared.working_time import Calendar
from tests.working_time.oracle import HOLIDAYS, Oracle

_MICROSECOND = timedelta(microseconds=1)
_MINUTE = 60_000_000
_DAY = timedelta(days=1)
_YEARS = frozenset(day.year for day in HOLIDAYS)


class Unjudged(ValueError):
    """The oracle knows the holidays of metropolitan France in a few years, and calendars in whole minutes."""


class Minutes:
    """The working minutes of one calendar. A day is asked about once, when it is first needed."""

    def __init__(self, calendar: Calendar) -> None:
        if calendar.zone != "metropole":
            raise Unjudged(f"the oracle does not know the holidays of {calendar.zone}")
        closed = {
            one.first + timedelta(days=more) for one in calendar.closures for more in range((one.last - one.first).days + 1)
        }
        week = {weekday: list(periods) for weekday, periods in enumerate(calendar.week)}
        self._oracle = Oracle(
            calendar.timezone, week, {one.day for one in calendar.added} | closed, set(calendar.removed) - closed
        )
        self._days: dict[date, list[int]] = {}

    def due(self, start: datetime, working_seconds: int) -> datetime:
        """Return the first instant at which so much working time has passed since `start`."""
        left, day, begin = working_seconds * 1_000_000, start.astimezone(UTC).date(), start
        if left == 0:
            return start
        while True:
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            gone = self._opened_before(begin)
            opened = self._before(day)[-1] * _MINUTE - gone
            if opened >= left:
                return midnight + self._reach(day, gone + left) * _MICROSECOND
            left, day, begin = left - opened, day + _DAY, midnight + _DAY

    def elapsed(self, start: datetime, end: datetime) -> int:
        """Return the whole seconds of working time from `start` to `end`."""
        opened = self._opened_before(end) - self._opened_before(start)
        day, last = start.astimezone(UTC).date(), end.astimezone(UTC).date()
        while day < last:
            opened += self._before(day)[-1] * _MINUTE
            day += _DAY
        return opened // 1_000_000

    def _opened_before(self, at: datetime) -> int:
        """Return the working time, in microseconds, of this UTC day before an instant."""
        local = at.astimezone(UTC)
        before = self._before(local.date())
        passed = (local - local.replace(hour=0, minute=0, second=0, microsecond=0)) // _MICROSECOND
        minute, rest = divmod(passed, _MINUTE)
        return before[minute] * _MINUTE + rest * (before[minute + 1] - before[minute])

    def _reach(self, day: date, target: int) -> int:
        """Return how far into the UTC day so much working time of it has passed, in microseconds."""
        before = self._before(day)
        minute = bisect_left(before, -(-target // _MINUTE)) - 1  # the minute in which the target falls
        return minute * _MINUTE + target - before[minute] * _MINUTE

    def _before(self, day: date) -> list[int]:
        """Return how many minutes were open before each minute of a UTC day, and in all of it."""
        known = self._days.get(day)
        if known is None:
            if day.year not in _YEARS:
                raise Unjudged(f"the oracle does not know the holidays of {day.year}")
            at, known = datetime(day.year, day.month, day.day, tzinfo=UTC), [0]
            for _ in range(24 * 60):
                known.append(known[-1] + self._oracle.is_open(at))
                at += timedelta(minutes=1)
            self._days[day] = known
        return known


@lru_cache(maxsize=256)
def minutes_of(calendar: Calendar) -> Minutes:
    """Return the minutes of a calendar; the same object for an equal one."""
    return Minutes(calendar)
