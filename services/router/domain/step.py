"""The router's step: what a request's life does next."""

from typing import Any, Final

from msgspec.structs import replace
from pydantic import BaseModel

from services.router.domain.act import Act, obstacle
from services.router.domain.life import TRANSITIONS, WHAT, Entry, Life, Move, why_not
from services.router.domain.routing import route
from services.router.domain.telling import elapsed, enter_queue, refuse, tell
from shared.delivery.errors import InputRefused
from shared.delivery.service import Context
from shared.events import handling, requests

Events = tuple[BaseModel, ...]
_SEALED: Final = frozenset(cls for cls in WHAT if "sealed" in cls.model_fields)
_REASONED: Final = frozenset(cls for cls in WHAT if "reason" in cls.model_fields)
"""Asked of the class once: to ask an event for a field that it lacks takes longer than all the rest of a step."""


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
            return _refusal(life, context, "withdraw") or (tell(life, context, handling.RequestWithdrawn, "withdrawn"),)
        case requests.ReopeningAsked():
            return _refusal(life, context, "reopen") or _reopen(life, event.sealed, context)
        case requests.RequestErased():
            return () if life.status == "erased" else (tell(life, context, handling.RequestForgotten, "erased"),)
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
    return (tell(life, context, handling.UsagerReplied, status, sealed=event.sealed),)


def _reopen(life: Life, sealed: str, context: Context) -> Events:
    """Give the request back to the service that had it, and on to the front desk when that one is gone or closed."""
    before = life.service or context.authority.settings.front_desk
    status = TRANSITIONS[life.status, "reopen"]
    reopened = tell(life, context, handling.RequestReopened, status, service=before, sealed=sealed)
    chosen = route(before, context.authority, context.now)
    if chosen.service == before:
        return reopened, enter_queue(life, context, before, "reopened")
    life = _after(life, reopened)
    moved = {"service": chosen.service, "from_service": before, "reason": chosen.reason}
    transferred = tell(life, context, handling.RequestTransferred, TRANSITIONS[life.status, "transfer"], **moved)
    return reopened, transferred, enter_queue(life, context, chosen.service, chosen.reason)


def _act(life: Life, act: Act, context: Context) -> Events:
    """Do what an agent asks, if they may, and if the state that they saw still holds and allows it."""
    if why := _why_refused(life, act, context):
        return (refuse(life, context, act.action, why, since=act.expected_version),)
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
            return (*taken, tell(life, context, handling.UsagerAsked, status, sealed=act.sealed))
        case "answer" | "resolve":
            cls = handling.RequestAnswered if act.action == "answer" else handling.RequestResolved
            working = {"elapsed_working_seconds": elapsed(life, context)}
            return (*taken, tell(life, context, cls, status, **working, sealed=act.sealed))


def _take(life: Life, act: Act, context: Context) -> handling.TakenInCharge:
    return tell(
        life,
        context,
        handling.TakenInCharge,
        "in_charge",
        received_at=life.received_at,
        due_at=life.due_at,
        elapsed_working_seconds=elapsed(life, context),
        sealed=act.by,
    )


def _transfer(life: Life, act: Act, context: Context) -> Events:
    target, before = str(act.target), life.service or context.authority.settings.front_desk
    moved = {"service": target, "from_service": before, "reason": "agent", "sealed": act.sealed}
    transferred = tell(life, context, handling.RequestTransferred, TRANSITIONS[life.status, "transfer"], **moved)
    return transferred, enter_queue(life, context, target, "transferred")


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


def _after(life: Life, event: BaseModel) -> Life:
    after = evolve(life, event)
    assert after is not None, "an event of a known life leaves a life"
    return after


def _refusal(life: Life, context: Context, move: Move) -> Events:
    """Return the refusal of what a usager asked for; nothing when the state allows it."""
    why = why_not(life.status, move)
    return (refuse(life, context, move, why),) if why else ()


def evolve(life: Life | None, event: Any) -> Life | None:
    """Return what a fact makes of a life: of the state and the fact alone, so that states can be rebuilt from the log.

    Of `requests.v1` only the first event matters here: what follows it becomes life by the router's own events. So a
    rebuild reads the requests first, then the handling.
    """
    if life is None:
        return _born(event) if isinstance(event, requests.RequestReceived) else None
    cls = type(event)
    what = WHAT.get(cls)
    if what is None:
        return life
    entry = Entry(event.at, what, event.service, event.sealed if cls in _SEALED else None)
    if what == "forgotten":
        history = tuple(replace(earlier, sealed=None) for earlier in life.history)
        return replace(life, status=event.status, version=event.version, sealed=None, history=(*history, entry))
    return _lived(life, event, entry)


def _born(event: requests.RequestReceived) -> Life:
    return Life(
        authority=event.authority,
        reference=event.reference,
        channel=event.channel,
        category=event.category,
        language=event.language,
        received_at=event.at,
        due_at=event.promise.due_at,
        status="registered",
        service=None,
        version=0,
        sealed=event.sealed,
    )


def _lived(life: Life, event: Any, entry: Entry) -> Life:  # Any: an event of the life, some of which have a reason
    return Life(  # not `replace`: this runs twice for each request that comes in, and is twice as fast
        authority=life.authority,
        reference=life.reference,
        channel=life.channel,
        category=life.category,
        language=life.language,
        received_at=life.received_at,
        due_at=life.due_at,
        status=event.status,
        service=event.service or life.service,
        version=event.version,
        sealed=life.sealed,
        reason=event.reason if type(event) in _REASONED else life.reason,
        history=(*life.history, entry),
    )
