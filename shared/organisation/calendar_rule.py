"""calendars.yaml: opening hours, and the days that break them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.organisation.fields import Code, ConfigurationModel, Day, HoursOfDay, Label
from shared.working_time import ZONES, Calendar, Closure, Holiday

Periods = tuple[HoursOfDay, ...]
Zone = Literal[
    "metropole",
    "alsace-moselle",
    "alsace-moselle-temple",
    "guadeloupe",
    "guyane",
    "martinique",
    "mayotte",
    "reunion",
]
assert set(Zone.__args__) == set(ZONES), "zones of the configuration and of working time differ"  # type: ignore[attr-defined]


class Week(ConfigurationModel):
    """Periods of each day, "08:30-12:00"; a day that is left out is closed."""

    monday: Periods = ()
    tuesday: Periods = ()
    wednesday: Periods = ()
    thursday: Periods = ()
    friday: Periods = ()
    saturday: Periods = ()
    sunday: Periods = ()


class DayOff(ConfigurationModel):
    """A day off that the law does not know."""

    day: Day
    label: Label


class DaysClosed(ConfigurationModel):
    """Days in a row, both ends included."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="until")
    label: Label


class CalendarRule(ConfigurationModel):
    """When somebody works. Raise `version` with every change: receipts name the version they were worked out with."""

    code: Code
    version: Annotated[int, Field(strict=True, ge=1)]
    label: Label
    public_holidays: Zone
    weekly: Week
    added: tuple[DayOff, ...] = ()
    removed: tuple[Day, ...] = ()
    closures: tuple[DaysClosed, ...] = ()

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self.calendar("UTC")
        return self

    def calendar(self, timezone: str) -> Calendar:
        """The value that working time is counted with. Raises ValueError when the periods make no sense."""
        week = self.weekly
        return Calendar(
            code=self.code,
            version=self.version,
            timezone=timezone,
            week=(week.monday, week.tuesday, week.wednesday, week.thursday, week.friday, week.saturday, week.sunday),
            zone=self.public_holidays,
            added=tuple(Holiday(day=off.day, label=off.label) for off in self.added),
            removed=frozenset(self.removed),
            closures=tuple(Closure(first=c.first, last=c.last, label=c.label) for c in self.closures),
        )


class CalendarsFile(ConfigurationModel):
    """All calendars of the authority."""

    calendars: Annotated[tuple[CalendarRule, ...], Field(min_length=1)]
