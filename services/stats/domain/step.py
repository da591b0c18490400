"""The step of the statistics: they say nothing, they only remember what happened."""

from dataclasses import replace
from typing import Any

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
            return _lived(known, event)
        case requests.RequestReceived():
            category = event.category or NOBODY
            return replace(known, channel=event.channel, category=category, received_on=event.received_on)
        case escalations.EscalationEvent():
            return _escalated(known, event)
        case notifications.MailSent():
            return _count(known, "mails_sent", event.service)
        case notifications.MailFailed():
            return _count(known, "mails_failed", event.service)
        case _:
            return facts


def _lived(known: Facts, event: handling.LifeEvent) -> Facts:
    owner = event.service or known.owner  # a closed request is its last owner's
    if owner != known.owner:
        known = replace(known, owner=owner)
    match event:
        case handling.RequestAssigned():
            return known if known.first_service else replace(known, first_service=owner)
        case handling.TakenInCharge():
            if "taken_in_charge" in known.counts:
                return known
            if event.at <= event.due_at:
                known = _count(known, "within_promise", owner)
            return _lasted(known, "taken_in_charge", event.elapsed_working_seconds)
        case handling.RequestTransferred():
            return _once(known, "transferred", event.from_service)
        case handling.RequestAnswered():
            return _lasted(known, "answered", event.elapsed_working_seconds)
        case handling.RequestResolved():
            return _lasted(known, "resolved", event.elapsed_working_seconds)
        case handling.RequestReopened():
            return _once(known, "reopened", owner)
        case handling.RequestWithdrawn():
            return _once(known, "withdrawn", owner)
        case _:
            return known


def _escalated(known: Facts, event: escalations.EscalationEvent) -> Facts:
    if event.promise == "unowned":
        return _once(known, "unowned", event.service) if isinstance(event, escalations.PromiseMissed) else known
    match event:
        case escalations.PromiseWarned():
            return _once(known, "warned", event.service)
        case escalations.PromiseMissed():
            return _once(known, "missed", event.service)
        case escalations.EscalationRaised():
            return _once(known, f"escalated_{event.level}", event.service)
        case _:
            return known


def _lasted(known: Facts, measure: Lasting, working_seconds: int) -> Facts:
    """Count the first time that something was done, and how long it took; later times are not measured."""
    if measure in known.spans:
        return known
    span = Span(known.owner, -(-working_seconds // 60))
    return replace(known, counts=known.counted(measure, known.owner), spans=known.spans | {measure: span})


def _once(known: Facts, measure: str, service: str | None) -> Facts:
    """Count a request for a measure and a service at most once: figures are numbers of requests."""
    return known if (service or NOBODY) in known.counts.get(measure, {}) else _count(known, measure, service)


def _count(known: Facts, measure: str, service: str | None) -> Facts:
    return replace(known, counts=known.counted(measure, service))
