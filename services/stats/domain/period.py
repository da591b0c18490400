"""The months that are asked for."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

MOST_MONTHS: Final = 36
Wrong = Literal["from_format", "to_format", "order", "future", "too_long"]


class WrongPeriod(ValueError):
    """What was asked for is no period; `why` says what to correct."""

    def __init__(self, why: Wrong) -> None:
        super().__init__(why)
        self.why: Wrong = why


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months, both included, each as its first day."""

    first: date
    last: date

    @property
    def last_day(self) -> date:
        """The last day of the last month."""
        return month_after(self.last) - timedelta(days=1)


def read_period(first: str | None, last: str | None, *, today: date) -> Period:
    """Return the period of two months as "2026-11". One that is not given is the other one; none: the present month.

    Raises:
        WrongPeriod: not of that form, in the wrong order, not begun yet, or too long.
    """
    begins = _read(first, "from_format") if first else None
    ends = _read(last, "to_format") if last else None
    present = today.replace(day=1)
    period = Period(begins or ends or present, ends or begins or present)
    if period.last < period.first:
        raise WrongPeriod("order")
    if period.last > present:
        raise WrongPeriod("future")
    if len(months_of(period)) > MOST_MONTHS:
        raise WrongPeriod("too_long")
    return period


def months_of(period: Period) -> list[date]:
    """Return the months of a period, in order; of one that is far too long only as many as show it."""
    months = [period.first]
    while months[-1] < period.last and len(months) <= MOST_MONTHS:
        months.append(month_after(months[-1]))
    return months


def month_after(month: date) -> date:
    """Return the first day of the next month."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _read(text: str, why: Wrong) -> date:
    year, _, month = text.partition("-")
    if not (text.isascii() and len(text) == 7 and year.isdigit() and month.isdigit() and len(year) == 4):
        raise WrongPeriod(why)
    if not 1 <= int(month) <= 12 or not 2000 <= int(year) <= 2999:
        raise WrongPeriod(why)
    return date(int(year), int(month), 1)
