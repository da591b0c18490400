"""Intake's step: what a usager's act becomes, and what the tracking page shows of what others say."""

from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace
from pydantic import BaseModel

from services.intake.domain.command import AddInformation, AskReopening, Erase, SubmitRequest, Withdraw
from services.intake.domain.refusal import Refused
from services.intake.domain.request import CLOSED, OPEN, SETTLED, Announced, Entry, TrackedRequest, What
from shared.delivery.service import Context
from shared.events import escalations, handling, requests
from shared.events.base import Event

MOST_MESSAGES: Final = 100
"""More messages than this in one request are no conversation any more, and a state must not grow without end."""


def decide(request: TrackedRequest | None, event: Any, context: Context) -> tuple[BaseModel, ...]:
    """Return what the usager did, as events. Facts of others only change what is shown.

    Raises:
        Refused: the state does not allow it, with a text for the usager. The router has the last word on the rest.
    """
    match event:
        case Event():
            return ()
        case SubmitRequest():
            return (_receive(request, event, context),)
        case _ if request is None or request.received_at is None:
            raise Refused("unknown")
        case Erase():
            if request.erased_at:
                return ()
            if event.closed_at is not None:
                _refuse_if_alive(request, event.closed_at)
            return (requests.RequestErased(**_told(context)),)
        case AddInformation():
            _refuse_if_closed(request)
            return (requests.InformationAdded(**_told(context), sealed=event.sealed),)
        case Withdraw():
            _refuse_if_closed(request)
            if request.withdrawal_pending:
                raise Refused("withdrawal_pending")
            return (requests.WithdrawalAsked(**_told(context)),)
        case AskReopening():
            _refuse_if_not_settled(request)
            return (requests.ReopeningAsked(**_told(context), sealed=event.sealed),)
        case _:
            raise TypeError(f"intake does not know what to do with {type(event).__name__}")


def _told(context: Context) -> dict[str, Any]:
    return {"request_id": context.request_id, "authority": context.authority.code, "at": context.now}


def _receive(request: TrackedRequest | None, command: SubmitRequest, context: Context) -> requests.RequestReceived:
    if request is not None and request.received_at is not None:
        raise Refused("known_already")
    return requests.RequestReceived(
        request_id=context.request_id,
        authority=context.authority.code,
        at=command.received_at,
        received_on=command.received_at.astimezone(context.authority.timezone).date(),
        reference=command.reference,
        token_digest=command.token_digest,
        channel=command.channel,
        service=command.service,
        category=command.category,
        language=command.language,
        demande=command.demande,
        promise=command.promise,
        unowned_due_at=command.unowned_due_at,
        sealed=command.sealed,
        escrow=command.escrow,
    )


def _refuse_if_closed(request: TrackedRequest) -> None:
    status = request.status
    if status not in OPEN:
        raise Refused(status)
    if len(request.asked) > MOST_MESSAGES:
        raise Refused("too_many")


def _refuse_if_alive(request: TrackedRequest, closed_at: datetime) -> None:
    if request.closed_at != closed_at:
        raise Refused("not_settled")
    if request.reopening_pending:
        raise Refused("reopening_pending")


def _refuse_if_not_settled(request: TrackedRequest) -> None:
    if request.status in ("erased", "withdrawn"):
        raise Refused(request.status)
    if request.status not in SETTLED:
        raise Refused("not_settled")
    if request.reopening_pending:
        raise Refused("reopening_pending")
    if len(request.asked) > MOST_MESSAGES:
        raise Refused("too_many")


def evolve(request: TrackedRequest | None, event: Any) -> TrackedRequest | None:
    """Return what is shown after a fact, our own or another's, in whatever order topics speak."""
    request = request or TrackedRequest(authority=event.authority)
    match event:
        case requests.RequestReceived():
            request = _received(request, event)
        case requests.RequestErased():
            request = replace(_without_texts(request), erased_at=event.at)
        case requests.InformationAdded():
            request = replace(request, asked=(*request.asked, _entry(event, "added")))
        case requests.WithdrawalAsked():
            request = replace(request, asked=(*request.asked, _entry(event, "withdrawal_asked")))
        case requests.ReopeningAsked():
            request = replace(request, asked=(*request.asked, _entry(event, "reopening_asked")))
        case handling.LifeEvent():
            request = _live(request, event)
        case escalations.EscalationEvent():
            request = _late(request, event)
        case _:
            return request
    return _without_texts(request) if request.erased_at else request


def _received(request: TrackedRequest, event: requests.RequestReceived) -> TrackedRequest:
    promise = event.promise
    return replace(
        request,
        reference=event.reference,
        token_digest=event.token_digest,
        channel=event.channel,
        chosen=event.service,
        category=event.category,
        language=event.language,
        demande=event.demande,
        received_at=event.at,
        promise=Announced(promise.code, promise.label, promise.working_seconds, promise.start_at, promise.due_at),
        sealed=event.sealed,
        asked=(Entry(event.at, "received"), *request.asked),
    )


_WHAT: Final[dict[type[handling.LifeEvent], What]] = {
    handling.RequestAssigned: "assigned",
    handling.RequestTransferred: "transferred",
    handling.TakenInCharge: "taken_in_charge",
    handling.UsagerAsked: "asked",
    handling.UsagerReplied: "replied",
    handling.RequestAnswered: "answered",
    handling.RequestResolved: "resolved",
    handling.RequestReopened: "reopened",
    handling.RequestWithdrawn: "withdrawn",
    handling.RequestForgotten: "forgotten",
}


def _live(request: TrackedRequest, event: handling.LifeEvent) -> TrackedRequest:
    """Take over a step of the life: the status and the owner are those that the router says hold after it."""
    if isinstance(event, handling.CommandRefused):
        refused = Entry(event.at, "refused", note=event.action)
        mine = event.action in ("withdraw", "reopen")
        return replace(request, life=(*request.life, refused)) if mine else request
    what = _WHAT.get(type(event))
    if what is not None:
        request = replace(request, life=(*request.life, _entry(event, what)))
    if isinstance(event, handling.TakenInCharge) and request.taken_at is None:
        request = replace(request, taken_at=event.at)
    closed_at = event.at if event.status in CLOSED else None
    return replace(request, told=event.status, owner=event.service or request.owner, closed_at=closed_at)


def _late(request: TrackedRequest, event: escalations.EscalationEvent) -> TrackedRequest:
    """Show that the announced delay was missed, and who was told. Warnings in time and inner rules concern no usager."""
    if event.promise != "taking_charge":
        return request
    match event:
        case escalations.PromiseMissed():
            entry = Entry(event.at, "missed", event.service)
        case escalations.EscalationRaised():
            entry = Entry(event.at, "escalated", event.service, note=event.tell)
        case _:
            return request
    return replace(request, delays=(*request.delays, entry))


def _entry(event: Any, what: What) -> Entry:
    reason = event.reason if isinstance(event, handling.RequestAssigned) else None
    return Entry(event.at, what, getattr(event, "service", None), getattr(event, "sealed", None), note=reason)


def _without_texts(request: TrackedRequest) -> TrackedRequest:
    """Drop what no key opens any more, and what would say when to erase it."""
    return replace(
        request,
        sealed=None,
        closed_at=None,
        asked=tuple(replace(entry, sealed=None) for entry in request.asked),
        life=tuple(replace(entry, sealed=None) for entry in request.life),
    )
