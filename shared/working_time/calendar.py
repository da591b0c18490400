"""A calendar: when a service works, as its authority declares it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

from shared.working_time.public_holidays import ZONES, public_holidays

MIDNIGHT = time(0, 0)
_MICROSECONDS_PER_DAY = 86_400_000_000

Period = tuple[time, time]
"""Opening and closing, local wall time. A closing at 00:00 is the midnight that ends the day."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """One day off that the law does not know: a local feast, a bridge day."""

    day: date
    label: str


@dataclass(frozen=True, slots=True)
class Closure:
    """Days on which nobody works, both ends included."""

    first: date
    last: date
    label: str

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"closure {self.label!r} ends on {self.last}, before it starts on {self.first}")


@dataclass(frozen=True)
class Calendar:
    """Opening hours of a week, and the days that break the rule.

    `week` has seven entries, Monday first. `added` are days off besides the legal ones of `zone`, `removed` are legal
    holidays on which the service works all the same. A closure wins over `removed`.
    Changing what a calendar means takes a new `version`: promises already made keep the version they were made with.
    """

    code: str
    version: int
    timezone: str
    week: tuple[tuple[Period, ...], ...]
    zone: str = "metropole"
    added: tuple[Holiday, ...] = ()
    removed: frozenset[date] = frozenset()
    closures: tuple[Closure, ...] = ()

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise ValueError(f"calendar {self.code!r}: a week has 7 days, not {len(self.week)}")
        if not any(self.week):
            raise ValueError(f"calendar {self.code!r} never opens: it has no period on any day")
        if self.zone not in ZONES:
            raise ValueError(f"calendar {self.code!r}: unknown zone {self.zone!r}; allowed: {', '.join(ZONES)}")
        ZoneInfo(self.timezone)
        for periods in self.week:
            self._check_order(periods)

    @classmethod
    def of_weekdays(
        cls,
        code: str,
        *,
        version: int,
        timezone: str,
        weekly: Mapping[int, tuple[Period, ...]],
        zone: str = "metropole",
    ) -> Self:
        """A calendar without exceptions, from the weekdays that open (0 is Monday)."""
        week = tuple(tuple(weekly.get(weekday, ())) for weekday in range(7))
        return cls(code=code, version=version, timezone=timezone, week=week, zone=zone)

    def day_off(self, day: date) -> str | None:
        """Why nobody works on `day`, in French; None on a day with ordinary hours."""
        for closure in self.closures:
            if closure.first <= day <= closure.last:
                return closure.label
        if day in self._added:
            return self._added[day]
        if day in self.removed:
            return None
        return public_holidays(self.zone, day.year).get(day)

    def periods_of(self, day: date) -> tuple[Period, ...]:
        """The periods of `day` in order; empty on a day off."""
        periods = self.week[day.weekday()]
        return periods if periods and self.day_off(day) is None else ()

    @cached_property
    def _added(self) -> dict[date, str]:
        return {holiday.day: holiday.label for holiday in self.added}

    def _check_order(self, periods: tuple[Period, ...]) -> None:
        previous_end = 0
        for opens, closes in periods:
            start, end = microseconds_of(opens), closing_microseconds_of(closes)
            if not previous_end <= start < end:
                raise ValueError(
                    f"calendar {self.code!r}: period {opens:%H:%M}-{closes:%H:%M} is empty, overlaps the one before, "
                    "or is out of order"
                )
            previous_end = end


def microseconds_of(moment: time) -> int:
    """Microseconds of wall time since 00:00."""
    return ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 1_000_000 + moment.microsecond


def closing_microseconds_of(closes: time) -> int:
    """As `microseconds_of`, for a closing: 00:00 is the end of the day."""
    return _MICROSECONDS_PER_DAY if closes == MIDNIGHT else microseconds_of(closes)
