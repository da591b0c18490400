"""The arithmetic of promises: from an instant and a working delay to the instant when it is due, and back."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.working_time.calendar import Calendar
from shared.working_time.explanation import DayLine, explain_days
from shared.working_time.openings import EPOCH, NoOpening, Openings

_SECOND: Final = 1_000_000
_HORIZON_YEARS: Final = 100
_FIRST_YEAR: Final = 2
_LAST_YEAR: Final = 9998


class WorkingTime:
    """Working time of one calendar.

    Exact to the microsecond. Opening hours are wall-clock time of the calendar's zone; the seconds counted are real
    elapsed seconds, so a period of a night in which clocks go back an hour counts the hour that passes twice.
    Every instant given must be aware (any zone); every instant returned is in UTC.
    Safe to share between threads: its table is replaced as a whole when more years are needed.
    """

    __slots__ = ("_openings", "calendar")

    def __init__(self, calendar: Calendar) -> None:
        self.calendar: Final = calendar
        self._openings: Openings | None = None

    def due(self, start: datetime, working_seconds: int) -> datetime:
        """The first instant, at or after `start`, at which `working_seconds` of working time have elapsed.

        Where the delay ends exactly at a closing, that closing is the answer, not the next opening: an hour from 11:00
        is 12:00 even when the service closes from 12:00 to 14:00. A delay of 0 is due at `start`, open or not.
        Raises ValueError for a naive `start` or a negative delay, NoOpening when a hundred years do not suffice.
        """
        if working_seconds <= 0:
            if working_seconds < 0:
                raise ValueError(f"a working delay cannot be negative: {working_seconds} seconds")
            return EPOCH + timedelta(microseconds=_instant(start))
        instant = _instant(start)
        openings = self._openings
        if openings is None or not openings.covered_from <= instant < openings.covered_until:
            openings = self._covering(start, start)
        target = openings.opened_before(instant) + working_seconds * _SECOND
        reached = openings.reach(target)
        if reached is None:
            reached = self._reach_further(start, working_seconds)
        return EPOCH + timedelta(microseconds=reached)

    def elapsed(self, start: datetime, end: datetime) -> int:
        """Whole seconds of working time in [start, end).

        Raises ValueError for a naive instant, or when `end` is before `start`.
        """
        first, last = _instant(start), _instant(end)
        if last < first:
            raise ValueError(f"the end {end.isoformat()} is before the start {start.isoformat()}")
        openings = self._covering(start, end)
        return (openings.opened_before(last) - openings.opened_before(first)) // _SECOND

    def is_open(self, at: datetime) -> bool:
        """Whether `at` is working time: from the instant of opening, up to but without the instant of closing."""
        instant = _instant(at)
        return self._covering(at, at).opening_at_or_after(instant) == instant

    def next_opening(self, at: datetime) -> datetime:
        """`at` itself when open, else the next instant of opening. Raises NoOpening when there is none in a century."""
        instant = _instant(at)
        openings = self._covering(at, at)
        while (opening := openings.opening_at_or_after(instant)) is None:
            openings = self._one_step_further(openings, at)
        return EPOCH + timedelta(microseconds=opening)

    def explain(self, start: datetime, working_seconds: int) -> tuple[DayLine, ...]:
        """`due` day by day: what each local day from `start` to the due instant gave, and why when it gave nothing.

        The seconds of the lines add up to `working_seconds` (start and due instants on whole seconds).
        """
        due = self.due(start, working_seconds)
        return explain_days(self.calendar, self.elapsed, start=start, due=due)

    @property
    def timezone(self) -> ZoneInfo:
        """The zone of the calendar's wall clock."""
        return ZoneInfo(self.calendar.timezone)

    def _reach_further(self, start: datetime, working_seconds: int) -> int:
        instant = _instant(start)
        openings = self._covering(start, start)
        while True:
            target = openings.opened_before(instant) + working_seconds * _SECOND
            if (reached := openings.reach(target)) is not None:
                return reached
            openings = self._one_step_further(openings, start)

    def _one_step_further(self, openings: Openings, start: datetime) -> Openings:
        limit = min(start.year + _HORIZON_YEARS, _LAST_YEAR)
        if openings.last_year >= limit:
            raise NoOpening(
                f"calendar {self.calendar.code!r} version {self.calendar.version} does not open enough between "
                f"{start.isoformat()} and the end of {limit}; look at its periods and closures"
            )
        years = openings.last_year - openings.first_year + 1
        return self._build(openings.first_year, min(openings.last_year + years, limit))

    def _covering(self, start: datetime, end: datetime) -> Openings:
        """Openings that cover both instants, with a year to spare on each side for their local dates."""
        openings = self._openings
        if openings is not None and openings.covered_from <= _instant(start) and _instant(end) < openings.covered_until:
            return openings
        first, last = max(start.year - 1, _FIRST_YEAR), min(end.year + 1, _LAST_YEAR)
        if openings is not None:
            first, last = min(first, openings.first_year), max(last, openings.last_year)
        return self._build(first, last)

    def _build(self, first_year: int, last_year: int) -> Openings:
        openings = Openings.build(self.calendar, first_year=first_year, last_year=last_year)
        self._openings = openings
        return openings


def _instant(moment: datetime) -> int:
    """Microseconds since 1970 UTC, exact (a float timestamp is not, after 2106)."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone: working time needs aware instants")
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * _SECOND + delta.microseconds
