"""The sla's step: what a clock does when its instant has come."""

from typing import Any

from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict

from services.sla.domain.clocks import Announced, Clocks, Progress
from services.sla.domain.ladder import ladder_of, rung_after, told_at
from shared.delivery.service import Context
from shared.events import escalations, handling, requests
from shared.events.base import Event
from shared.events.escalations import ClockName

Events = tuple[BaseModel, ...]


class Tick(BaseModel):
    """A command: the instant of `what` ("warn", "due", "level_1"...) has come for a clock. The step checks that it is so."""

    model_config = ConfigDict(frozen=True)

    promise: ClockName
    what: str


def decide(clocks: Clocks | None, event: Any, context: Context) -> Events:
    """Return what a tick leads to. Facts alone lead to nothing: they move the clocks, and time does the rest.

    A tick that comes early, late or twice is harmless: only what is due, next and not done yet is done.
    """
    match event:
        case Tick():
            return _tick(clocks, event, context) if clocks is not None else ()
        case Event():
            return ()
        case _:
            raise TypeError(f"the sla does not know what to do with {type(event).__name__}")


def _tick(clocks: Clocks, tick: Tick, context: Context) -> Events:
    deadline = clocks.deadline(tick.promise)
    if deadline is None or deadline.what != tick.what or context.now < deadline.at:
        return ()
    told = {
        "request_id": context.request_id,
        "authority": clocks.authority,
        "at": context.now,
        "promise": tick.promise,
        "service": clocks.owner,
        "due_at": clocks.due_at(tick.promise),
    }
    match deadline.what:
        case "warn":
            return (escalations.PromiseWarned(**told),)
        case "due":
            return _miss(clocks, told, context)
        case _:
            level = clocks.progress(tick.promise).next_level
            assert level is not None, "a deadline of a level has a level"
            return (_raise(clocks, level, told, context),)


def _miss(clocks: Clocks, told: dict[str, Any], context: Context) -> Events:
    """Say that the promise is broken, and climb the first rung at once where the ladder says so."""
    ladder = ladder_of(clocks, told["promise"], context.authority)
    first = rung_after(0, ladder, due_at=told["due_at"], service=clocks.owner, authority=context.authority)
    assert first is not None, "a ladder has at least one level"
    missed = escalations.PromiseMissed(**told, next_level=first.level, next_at=first.at)
    if first.at > told["due_at"]:
        return (missed,)
    return missed, _raise(clocks, first.level, told, context)


def _raise(clocks: Clocks, level: int, told: dict[str, Any], context: Context) -> escalations.EscalationRaised:
    ladder = ladder_of(clocks, told["promise"], context.authority)
    following = rung_after(level, ladder, due_at=told["due_at"], service=clocks.owner, authority=context.authority)
    return escalations.EscalationRaised(
        **told,
        level=level,
        tell=told_at(level, ladder),
        next_level=following.level if following else None,
        next_at=following.at if following else None,
    )


def evolve(clocks: Clocks | None, event: Any) -> Clocks | None:
    """Return the clocks after a fact: of another service, or our own."""
    known = clocks or Clocks(event.authority)
    match event:
        case requests.RequestReceived():
            return replace(known, announced=_announced(event))
        case requests.RequestErased():
            return replace(known, erased_at=event.at)
        case handling.LifeEvent():
            stops = known.stopped_at is None and event.status not in handling.STILL_WAITING
            stopped_at = event.at if stops else known.stopped_at
            return replace(known, owner=event.service or known.owner, stopped_at=stopped_at)
        case escalations.EscalationEvent():
            progress = _advanced(known.progress(event.promise), event)
            if event.promise == "unowned":
                return replace(known, unowned=progress)
            return replace(known, taking_charge=progress)
        case _:
            return clocks


def _announced(event: requests.RequestReceived) -> Announced:
    promise = event.promise
    return Announced(
        start_at=promise.start_at,
        working_seconds=promise.working_seconds,
        warn_at=promise.warn_at,
        due_at=promise.due_at,
        calendar=promise.calendar,
        calendar_version=promise.calendar_version,
        ladder=promise.ladder,
        unowned_due_at=event.unowned_due_at,
    )


def _advanced(progress: Progress, event: escalations.EscalationEvent) -> Progress:
    match event:
        case escalations.PromiseWarned():
            return replace(progress, warned=True)
        case escalations.PromiseMissed():
            return replace(progress, missed=True, next_level=event.next_level, next_at=event.next_at)
        case escalations.EscalationRaised():
            return replace(progress, level=event.level, next_level=event.next_level, next_at=event.next_at)
        case _:
            return progress
