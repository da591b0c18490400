"""The ladder of a clock: which level comes next, when, and whom it tells."""

from dataclasses import dataclass
from datetime import datetime

from services.sla.domain.clocks import Clocks
from shared.events.escalations import ClockName, Told
from shared.organisation import Authority
from shared.organisation.escalation import Ladder


@dataclass(frozen=True, slots=True)
class Rung:
    """A level of the ladder and the instant at which it is climbed."""

    level: int
    at: datetime


def ladder_of(clocks: Clocks, promise: ClockName, authority: Authority) -> Ladder:
    """Return the ladder to climb. One that the configuration no longer has gives way to that of the general promise."""
    if promise == "unowned" or clocks.announced is None:
        return authority.ladder(authority.unowned.ladder)
    return authority.ladders.get(clocks.announced.ladder) or authority.ladder(authority.charter.promises[-1].ladder)


def rung_after(level: int, ladder: Ladder, *, due_at: datetime, service: str | None, authority: Authority) -> Rung | None:
    """Return the rung above `level` (0: the first one); None at the top.

    It is reached after working hours of the service that owns the request, counted from the instant when the delay ran
    out; of the front desk where nobody owns it, or where that service is gone.
    """
    if level >= len(ladder.levels):
        return None
    owner = authority.find_service(service) or authority.front_desk_service
    following = ladder.levels[level]
    return Rung(following.level, authority.calendar_of(owner.code).due(due_at, following.after_working_seconds))


def told_at(level: int, ladder: Ladder) -> Told:
    """Return whom a level tells. A level that the ladder has lost since it was scheduled is told upward, never dropped."""
    return ladder.levels[level - 1].tell if level <= len(ladder.levels) else "general_management"
