"""The router's step: what a request's life does next."""

from typing import Any, TypeVar

from pydantic import BaseModel

from services.router.domain.act import Act, obstacle
from services.router.domain.evolution import evolve
from services.router.domain.life import OPEN, TRANSITIONS, Life, Move, why_not
from services.router.domain.routing import route
from shared.delivery.errors import InputRefused
from shared.delivery.service import Context
from shared.events import handling, requests
from shared.events.handling import Status

Events = tuple[BaseModel, ...]
E = TypeVar("E", bound=handling.LifeEvent)


def decide(life: Life | None, event: Any, context: Context) -> Events:
    """Return what follows from an input: events of the life, in order.

    Raises:
        InputRefused: the input is about a request that is not known, is known already, or belongs to another authority.
    """
    if isinstance(event, requests.RequestReceived):
        return _register(life, event, context)
    if life is None:
        raise InputRefused("the router does not know this request; if it is on its way, replay this later, else skip it")
    if life.authority != context.authority.code:
        raise InputRefused("the request belongs to another authority; skip this, and send it anew with the right one")
    match event:
        case requests.InformationAdded():
            return _refusal(life, context, "add") or _add(life, event, context)
        case requests.WithdrawalAsked():
            return _refusal(life, context, "withdraw") or (_tell(life, context, handling.RequestWithdrawn, "withdrawn"),)
        case requests.ReopeningAsked():
            return _refusal(life, context, "reopen") or _reopen(life, event.sealed, context)
        case requests.RequestErased():
            return () if life.status == "erased" else (_tell(life, context, handling.RequestForgotten, "erased"),)
        case Act():
            return _act(life, event, context)
        case _:
            raise TypeError(f"the router does not know what to do with {type(event).__name__}")


def _register(life: Life | None, event: requests.RequestReceived, context: Context) -> Events:
    """Give a new request its first owner."""
    if life is not None:
        raise InputRefused("the request is known already: this is a second first event of it; skip it")
    told = {"request_id": event.request_id, "authority": event.authority, "at": context.now}
    chosen = route(event.service, context.authority, context.now)
    return (
        handling.RequestRegistered(
            **told,
            version=1,
            status="registered",
            service=None,
            reference=event.reference,
            channel=event.channel,
            category=event.category,
        ),
        handling.RequestAssigned(
            **told,
            version=2,
            status="assigned",
            service=chosen.service,
            reason=chosen.reason,
            asked_service=event.service,
        ),
        handling.QueueEntered(
            **told,
            service=chosen.service,
            reference=event.reference,
            category=event.category,
            reason=chosen.reason,
            due_at=event.promise.due_at,
        ),
    )


def _add(life: Life, event: requests.InformationAdded, context: Context) -> Events:
    if not life.is_open:
        return _reopen(life, event.sealed, context)
    status = TRANSITIONS[life.status, "add"]
    return (_tell(life, context, handling.UsagerReplied, status, sealed=event.sealed),)


def _reopen(life: Life, sealed: str, context: Context) -> Events:
    """Give the request back to the service that had it, and on to the front desk when that one is gone or closed."""
    before = life.service or context.authority.settings.front_desk
    status = TRANSITIONS[life.status, "reopen"]
    reopened = _tell(life, context, handling.RequestReopened, status, service=before, sealed=sealed)
    chosen = route(before, context.authority, context.now)
    if chosen.service == before:
        return reopened, _enter_queue(life, context, before, "reopened")
    life = _after(life, reopened)
    moved = {"service": chosen.service, "from_service": before, "reason": chosen.reason}
    transferred = _tell(life, context, handling.RequestTransferred, TRANSITIONS[life.status, "transfer"], **moved)
    return reopened, transferred, _enter_queue(life, context, chosen.service, chosen.reason)


def _act(life: Life, act: Act, context: Context) -> Events:
    """Do what an agent asks, if they may, and if the state that they saw still holds and allows it."""
    if why := _why_refused(life, act, context):
        return (_refuse(life, context, act.action, why, since=act.expected_version),)
    status = TRANSITIONS[life.status, act.action]
    if act.action == "transfer":
        return _transfer(life, act, context)
    taken: Events = ()
    if life.status == "assigned":
        taken = (_take(life, act, context),)
        life = _after(life, taken[0])
    match act.action:
        case "take_charge":
            return taken
        case "ask":
            return (*taken, _tell(life, context, handling.UsagerAsked, status, sealed=act.sealed))
        case "answer" | "resolve":
            cls = handling.RequestAnswered if act.action == "answer" else handling.RequestResolved
            elapsed = _elapsed(life, context)
            return (*taken, _tell(life, context, cls, status, elapsed_working_seconds=elapsed, sealed=act.sealed))


def _take(life: Life, act: Act, context: Context) -> handling.TakenInCharge:
    return _tell(
        life,
        context,
        handling.TakenInCharge,
        "in_charge",
        received_at=life.received_at,
        due_at=life.due_at,
        elapsed_working_seconds=_elapsed(life, context),
        sealed=act.by,
    )


def _transfer(life: Life, act: Act, context: Context) -> Events:
    target, before = str(act.target), life.service or context.authority.settings.front_desk
    moved = {"service": target, "from_service": before, "reason": "agent", "sealed": act.sealed}
    transferred = _tell(life, context, handling.RequestTransferred, TRANSITIONS[life.status, "transfer"], **moved)
    return transferred, _enter_queue(life, context, target, "transferred")


def _why_refused(life: Life, act: Act, context: Context) -> str | None:
    """Return the code of what stands in the way of an act, the most telling first; None when nothing does."""
    if why := obstacle(life, act, context.authority, context.now):
        return why
    if act.action in ("ask", "answer") and act.sealed is None:
        return "no_text"
    if act.action != "transfer":
        return None
    target = context.authority.find_service(act.target)
    if target is None:
        return "unknown_service"
    if target.code == life.service:
        return "already_there"
    return None if context.authority.is_open(target.code, context.now) else "closed_service"


def _elapsed(life: Life, context: Context) -> int:
    """Return the working time since the request came, in the calendar of its owner (of the front desk, if that one is gone)."""
    owner = context.authority.find_service(life.service) or context.authority.front_desk_service
    return context.authority.calendar_of(owner.code).elapsed(life.received_at, max(context.now, life.received_at))


def _tell(life: Life, context: Context, cls: type[E], status: Status, **more: Any) -> E:  # Any: the fields of its class
    """Return an event that moves the life one version on. The owner stays, or is nobody once the request is closed."""
    told = {"service": life.service if status in OPEN else None} | more
    return cls(
        request_id=context.request_id,
        authority=life.authority,
        at=context.now,
        version=life.version + 1,
        status=status,
        **told,
    )


def _after(life: Life, event: BaseModel) -> Life:
    after = evolve(life, event)
    assert after is not None, "an event of a known life leaves a life"
    return after


def _refusal(life: Life, context: Context, move: Move) -> Events:
    """Return the refusal of what a usager asked for; nothing when the state allows it."""
    why = why_not(life.status, move)
    return (_refuse(life, context, move, why),) if why else ()


def _refuse(life: Life, context: Context, move: Move, why: str, *, since: int | None = None) -> handling.CommandRefused:
    return handling.CommandRefused(
        request_id=context.request_id,
        authority=life.authority,
        at=context.now,
        version=life.version,
        status=life.status,
        service=life.owner,
        action=move,
        why=why,
        since=since,
    )


def _enter_queue(life: Life, context: Context, service: str, reason: str) -> handling.QueueEntered:
    return handling.QueueEntered(
        request_id=context.request_id,
        authority=life.authority,
        at=context.now,
        service=service,
        reference=life.reference,
        category=life.category,
        reason=reason,
        due_at=life.due_at,
    )
