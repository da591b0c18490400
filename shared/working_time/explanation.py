"""Why a due date is what it is, one line per day, in the words of the people who read it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.working_time.calendar import MIDNIGHT, Calendar

_WEEKDAYS: Final = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
_MONTHS: Final = (
    "janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.",
)  # fmt: skip
_NO_HOURS: Final = "jour sans ouverture"
_OUTSIDE_HOURS: Final = "hors des heures d'ouverture"


@dataclass(frozen=True, slots=True)
class DayLine:
    """What one local day contributed.

    `reason` is empty on a day that counted; `since` is the local start, on the day that it cuts.
    """

    day: date
    opened_seconds: int
    reason: str
    since: time | None = None

    def __str__(self) -> str:
        """As in "ven. 16 h 40 : 0 h 50" or "mar. : fermé (1er mai)"."""
        return self._render(_WEEKDAYS[self.day.weekday()])

    @property
    def dated(self) -> str:
        """As `str`, with the date: "ven. 1er mai : fermé (1er mai)". For delays longer than a week."""
        number = "1er" if self.day.day == 1 else str(self.day.day)
        return self._render(f"{_WEEKDAYS[self.day.weekday()]} {number} {_MONTHS[self.day.month - 1]}")

    def _render(self, day: str) -> str:
        since = f" {self.since.hour} h {self.since.minute:02d}" if self.since else ""
        return f"{day}{since} : {_duration(self.opened_seconds) if not self.reason else f'fermé ({self.reason})'}"


Elapsed = Callable[[datetime, datetime], int]


def explain_days(calendar: Calendar, elapsed: Elapsed, *, start: datetime, due: datetime) -> tuple[DayLine, ...]:
    """One line per local day from `start` to `due`, both included."""
    zone = ZoneInfo(calendar.timezone)
    local_start = start.astimezone(zone)
    return tuple(
        DayLine(
            day=from_.day,
            opened_seconds=(opened := elapsed(from_.starts, from_.ends)),
            reason="" if opened else _reason(calendar, from_.day),
            since=local_start.time() if from_.day == local_start.date() and local_start.time() != MIDNIGHT else None,
        )
        for from_ in _days(zone, start, due)
    )


@dataclass(frozen=True, slots=True)
class _Slice:
    day: date
    starts: datetime
    ends: datetime


def _days(zone: ZoneInfo, start: datetime, due: datetime) -> Iterator[_Slice]:
    day = start.astimezone(zone).date()
    starts = start.astimezone(UTC)
    while True:
        midnight = datetime.combine(day + timedelta(days=1), MIDNIGHT, tzinfo=zone).astimezone(UTC)
        ends = max(starts, min(midnight, due))
        yield _Slice(day=day, starts=starts, ends=ends)
        if midnight >= due:
            return
        day, starts = day + timedelta(days=1), ends


def _reason(calendar: Calendar, day: date) -> str:
    if not calendar.week[day.weekday()]:
        return calendar.day_off(day) or _NO_HOURS
    return calendar.day_off(day) or _OUTSIDE_HOURS


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{hours} h {minutes:02d}" if minutes or rest or not hours else f"{hours} h"
    return f"{text} min {rest:02d} s" if rest else text
