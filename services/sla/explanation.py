"""Why a deadline is what it is, and where its clock stands: for agents and operators. No personal data."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.sla.domain.clocks import CLOCKS, Announced, Clocks
from shared.events.escalations import ClockName
from shared.organisation import Authority

Standing = Literal["running", "stopped", "missed"]


class Next(BaseModel):
    """The next thing that the clock does."""

    what: str = Field(description="warn, due, level_1, level_2...", examples=["warn"])
    at: datetime


class ClockReport(BaseModel):
    """Where one clock stands. `missed`: it ran out, and runs on up the ladder until the request is taken in charge."""

    promise: ClockName
    standing: Standing
    due_at: datetime
    warned: bool
    missed: bool
    level: int = Field(description="the highest level of the ladder that was told; 0: none")
    next: Next | None


class Trace(BaseModel):
    """How the announced instant was counted, a line for each local day, in French."""

    calendar: str
    calendar_version: int
    start_at: datetime
    working_seconds: int
    lines: list[str] | None = Field(
        description="null when the calendar of that version is no longer in the configuration: the promise stands as made",
        examples=[["ven. 16 h 40 : 0 h 50", "sam. : fermé (jour sans ouverture)", "lun. : 7 h 30"]],
    )


class DeadlineReport(BaseModel):
    """The deadline of a request."""

    request_id: UUID
    authority: str
    owner: str | None = Field(description="the service that owns it, or owned it last; null: nobody so far")
    stopped_at: datetime | None = Field(description="when it was first taken in charge, or closed")
    clocks: list[ClockReport]
    trace: Trace


def explain(request_id: UUID, clocks: Clocks, authority: Authority | None) -> DeadlineReport | None:
    """Return the report; None while the sla has not read what was announced. `authority` is None when it is gone."""
    if clocks.announced is None:
        return None
    return DeadlineReport(
        request_id=request_id,
        authority=clocks.authority,
        owner=clocks.owner,
        stopped_at=clocks.stopped_at,
        clocks=[_report(clocks, clocks.announced, promise) for promise in CLOCKS],
        trace=_trace(clocks.announced, authority),
    )


def _report(clocks: Clocks, announced: Announced, promise: ClockName) -> ClockReport:
    progress, following = clocks.progress(promise), clocks.deadline(promise)
    standing: Standing = "stopped" if not clocks.runs(promise) else "missed" if progress.missed else "running"
    return ClockReport(
        promise=promise,
        standing=standing,
        due_at=announced.due_at if promise == "taking_charge" else announced.unowned_due_at,
        warned=progress.warned,
        missed=progress.missed,
        level=progress.level,
        next=Next(what=following.what, at=following.at) if following else None,
    )


def _trace(announced: Announced, authority: Authority | None) -> Trace:
    working_time = authority.calendars.get(announced.calendar) if authority else None
    lines = None
    if working_time is not None and working_time.calendar.version == announced.calendar_version:
        lines = [line.dated for line in working_time.explain(announced.start_at, announced.working_seconds)]
    return Trace(
        calendar=announced.calendar,
        calendar_version=announced.calendar_version,
        start_at=announced.start_at,
        working_seconds=announced.working_seconds,
        lines=lines,
    )
