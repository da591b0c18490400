"""All instants at which a calendar is open, over a range of years, as sorted segments with a running total."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple, Self
from zoneinfo import ZoneInfo

from shared.working_time.calendar import Calendar, closing_microseconds_of, microseconds_of

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_FIRST_ORDINAL: Final = date(1970, 1, 1).toordinal()


class NoOpening(ValueError):
    """The calendar does not open enough within a hundred years: a closure without end, or an absurd delay."""


class _Offset(NamedTuple):
    """A stretch of real time [start, end) in which local time is UTC + offset. All in microseconds."""

    start: int
    end: int
    offset: int


class Openings:
    """Open segments [start, end) in microseconds since 1970 UTC, covering whole UTC years `first_year..last_year`.

    An instant is open when the wall clock shows a time within a period of that local day. So an hour that the wall
    clock skips counts nothing, and an hour that it shows twice counts twice. Immutable once built.
    """

    __slots__ = ("before", "covered_from", "covered_until", "ends", "first_year", "last_year", "starts")

    def __init__(self, *, first_year: int, last_year: int, segments: list[tuple[int, int]]) -> None:
        self.first_year = first_year
        self.last_year = last_year
        self.covered_from = _start_of_year(first_year)
        self.covered_until = _start_of_year(last_year + 1)
        self.starts = [start for start, _ in segments]
        self.ends = [end for _, end in segments]
        self.before = [0]
        for start, end in segments:
            self.before.append(self.before[-1] + end - start)

    @classmethod
    def build(cls, calendar: Calendar, *, first_year: int, last_year: int) -> Self:
        """Work out the segments; about a millisecond per year."""
        zone = ZoneInfo(calendar.timezone)
        merged: list[tuple[int, int]] = []
        for stretch in _offsets(zone, _start_of_year(first_year), _start_of_year(last_year + 1)):
            for start, end in _segments(calendar, stretch):
                if merged and merged[-1][1] == start:
                    merged[-1] = (merged[-1][0], end)
                else:
                    merged.append((start, end))
        return cls(first_year=first_year, last_year=last_year, segments=merged)

    def opened_before(self, instant: int) -> int:
        """Microseconds open between `covered_from` and `instant`, which must lie in the covered range."""
        index = bisect_right(self.starts, instant) - 1
        if index < 0:
            return 0
        return self.before[index] + min(instant, self.ends[index]) - self.starts[index]

    def reach(self, target: int) -> int | None:
        """The first instant at which `opened_before` equals `target` > 0; None past the covered range."""
        if target > self.before[-1]:
            return None
        index = bisect_left(self.before, target) - 1
        return self.starts[index] + target - self.before[index]

    def opening_at_or_after(self, instant: int) -> int | None:
        """`instant` itself when open, else the start of the next segment; None past the covered range."""
        index = bisect_right(self.ends, instant)
        if index == len(self.ends):
            return None
        return max(instant, self.starts[index])


def _segments(calendar: Calendar, stretch: _Offset) -> Iterator[tuple[int, int]]:
    first_day = (stretch.start + stretch.offset) // _DAY
    last_day = (stretch.end - 1 + stretch.offset) // _DAY
    for day in range(first_day, last_day + 1):
        midnight = day * _DAY - stretch.offset
        for opens, closes in calendar.periods_of(date.fromordinal(_FIRST_ORDINAL + day)):
            start = max(stretch.start, midnight + microseconds_of(opens))
            end = min(stretch.end, midnight + closing_microseconds_of(closes))
            if start < end:
                yield start, end


def _offsets(zone: ZoneInfo, start: int, end: int) -> Iterator[_Offset]:
    """Cut [start, end) where the zone's offset changes (no zone changes twice within one day)."""
    cuts = [start]
    for day_start in range(start, end, _DAY):
        if _offset_at(zone, day_start) != _offset_at(zone, day_start + _DAY):
            cuts.append(_change_between(zone, day_start, day_start + _DAY))
    cuts.append(end)
    for cut, next_cut in pairwise(cuts):
        if cut < next_cut:
            yield _Offset(start=cut, end=next_cut, offset=_offset_at(zone, cut))


def _change_between(zone: ZoneInfo, before: int, after: int) -> int:
    old = _offset_at(zone, before)
    while after - before > _SECOND:
        middle = (before + after) // (2 * _SECOND) * _SECOND
        if _offset_at(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset_at(zone: ZoneInfo, instant: int) -> int:
    offset = (EPOCH + timedelta(microseconds=instant)).astimezone(zone).utcoffset()
    assert offset is not None, "a ZoneInfo always knows its offset"
    return offset // timedelta(microseconds=1)


def _start_of_year(year: int) -> int:
    return (date(year, 1, 1).toordinal() - _FIRST_ORDINAL) * _DAY
