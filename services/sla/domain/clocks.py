"""The clocks of a request: what was announced, what became of it, and the next instant at which something is due.

Each field is written by the events of one topic alone, so that any order across topics ends in the same value.
"""

from datetime import datetime
from typing import Final, get_args

from msgspec import Struct

from shared.events.escalations import ClockName

CLOCKS: Final[tuple[ClockName, ...]] = get_args(ClockName)


class Announced(Struct, frozen=True):
    """What intake announced when it accepted the request (requests.v1). It is kept as it was made."""

    start_at: datetime
    working_seconds: int
    warn_at: datetime
    due_at: datetime
    calendar: str
    calendar_version: int
    ladder: str
    unowned_due_at: datetime


class Progress(Struct, frozen=True):
    """How far one clock has gone (our own events). `next_level` of the ladder is climbed at `next_at`."""

    warned: bool = False
    missed: bool = False
    level: int = 0
    next_level: int | None = None
    next_at: datetime | None = None


class Deadline(Struct, frozen=True):
    """The next thing that a clock does, and when: "warn", "due", then "level_1", "level_2"..."""

    what: str
    at: datetime


class Clocks(Struct, frozen=True):
    """The two clocks of a request. `owner` is the last service that owned it; `stopped_at` is when its first clock stopped."""

    authority: str
    announced: Announced | None = None
    erased_at: datetime | None = None
    owner: str | None = None
    stopped_at: datetime | None = None
    taking_charge: Progress = Progress()
    unowned: Progress = Progress()

    def runs(self, promise: ClockName) -> bool:
        """Tell whether a clock still runs.

        "taking_charge" ends when the request is taken in charge or closed, for good: a transfer or a reopening later does
        not start it again. "unowned" ends when a service owns the request, or when it is closed without.
        """
        if self.announced is None or self.erased_at is not None or self.stopped_at is not None:
            return False
        return promise == "taking_charge" or self.owner is None

    def due_at(self, promise: ClockName) -> datetime | None:
        """Return the instant at which a clock runs out; None before the request is known here."""
        if self.announced is None:
            return None
        return self.announced.due_at if promise == "taking_charge" else self.announced.unowned_due_at

    def progress(self, promise: ClockName) -> Progress:
        """Return how far a clock has gone."""
        return self.taking_charge if promise == "taking_charge" else self.unowned

    def deadline(self, promise: ClockName) -> Deadline | None:
        """Return the next thing that a clock does; None when it does not run or has nothing left to do."""
        due_at = self.due_at(promise)
        if self.announced is None or due_at is None or not self.runs(promise):
            return None
        gone = self.progress(promise)
        if promise == "taking_charge" and not gone.warned:
            return Deadline("warn", self.announced.warn_at)
        if not gone.missed:
            return Deadline("due", due_at)
        if gone.next_level is None or gone.next_at is None:
            return None
        return Deadline(f"level_{gone.next_level}", gone.next_at)
