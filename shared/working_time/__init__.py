"""Working time: when a delay counted in opening hours runs out, exactly, whatever the day and the clock change.

Pure: no I/O, no clock. Start with `WorkingTime`.
"""

from shared.working_time.calendar import Calendar, Closure, Holiday, Period
from shared.working_time.explanation import DayLine
from shared.working_time.openings import NoOpening
from shared.working_time.public_holidays import ZONES, public_holidays
from shared.working_time.working_time import WorkingTime

__all__ = [
    "ZONES",
    "Calendar",
    "Closure",
    "DayLine",
    "Holiday",
    "NoOpening",
    "Period",
    "WorkingTime",
    "public_holidays",
]
