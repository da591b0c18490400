"""The step of the statistics: they say nothing, they only remember what happened."""

from typing import Any

from msgspec.structs import replace
from pydantic import BaseModel

from services.stats.domain.facts import NOBODY, Facts, Lasting, Span
from shared.delivery.service import Context
from shared.events import escalations, handling, notifications, requests


def decide(_facts: Facts | None, _event: Any, _context: Context) -> tuple[BaseModel, ...]:
    """Say nothing: the statistics publish no event."""
    return ()


def evolve(facts: Facts | None, event: Any) -> Facts | None:
    """Return the facts after an event. An erased request stays counted: nothing here says whose it was."""
    known = facts or Facts(event.authority)
    match event:
        case handling.LifeEvent():
            known = _lived(known, event)
            return known.lived(waiting=False) if known.waiting and event.status not in handling.STILL_WAITING else known
        case requests.RequestReceived():
            category = event.category or NOBODY
            return replace(known, channel=event.channel, category=category, received_on=event.received_on)
        case escalations.PromiseMissed(promise="taking_charge"):
            return replace(known, late=True, counts=known.lived(more=known.once("missed", event.service)).counts)
        case escalations.EscalationEvent():
            measure = _measure_of(event)
            return known.lived(more=known.once(measure, event.service)) if measure else known
        case notifications.MailSent():
            return known.lived(more=(f"mails_sent {event.service or NOBODY}",))
        case notifications.MailFailed():
            return known.lived(more=(f"mails_failed {event.service or NOBODY}",))
        case _:
            return facts


def _lived(known: Facts, event: handling.LifeEvent) -> Facts:
    owner = event.service or known.owner  # a closed request is its last owner's
    match event:
        case handling.RequestAssigned():
            return known.lived(first_service=known.first_service or owner, owner=owner)
        case handling.TakenInCharge():
            within = (f"within_promise {owner}",) if event.at <= event.due_at else ()
            return _first(known, owner, "taken_in_charge", event.elapsed_working_seconds, within)
        case handling.RequestTransferred():
            return known.lived(owner=owner, more=known.once("transferred", event.from_service))
        case handling.RequestAnswered():
            return _first(known, owner, "answered", event.elapsed_working_seconds)
        case handling.RequestResolved():
            return _first(known, owner, "resolved", event.elapsed_working_seconds)
        case handling.RequestReopened():
            return known.lived(owner=owner, more=known.once("reopened", owner))
        case handling.RequestWithdrawn():
            return known.lived(owner=owner, more=known.once("withdrawn", owner))
        case _:
            return known if owner == known.owner else known.lived(owner=owner)


def _first(known: Facts, owner: str, measure: Lasting, working_seconds: int, more: tuple[str, ...] = ()) -> Facts:
    """Count the first time that something was done, and how long it took; later times are not measured."""
    if measure in known.spans:
        return known.lived(owner=owner)
    span = Span(owner, -(-working_seconds // 60))
    return known.lived(owner=owner, more=(f"{measure} {owner}", *more), spans={measure: span})


def _measure_of(event: escalations.EscalationEvent) -> str:
    """Return what an escalation counts as; nothing for the further levels of the inner clock."""
    if event.promise == "unowned":
        return "unowned" if isinstance(event, escalations.PromiseMissed) else ""
    match event:
        case escalations.PromiseWarned():
            return "warned"
        case escalations.EscalationRaised():
            return f"escalated_{event.level}"
        case _:
            return ""
