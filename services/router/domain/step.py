"""The router's step: what a request's life does next."""

from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from services.router.domain.life import OPEN, TRANSITIONS, Act, Entry, Life
from services.router.domain.routing import route
from shared.delivery.service import Context
from shared.events import handling, requests


class UnknownRequest(Exception):
    """A command for a request that the router has not heard of (yet)."""


def decide(life: Life | None, event: Any, context: Context) -> tuple[BaseModel, ...]:
    """Return what follows from an input: events of the life, in order."""
    match event:
        case requests.RequestReceived():
            return _register(event, context)
        case _ if life is None:
            raise UnknownRequest("the router does not know this request; if it is on its way, replay this later")
        case requests.InformationAdded():
            status = "in_charge" if life.status == "waiting" else life.status
            return (handling.UsagerReplied(**_after(life, event, context, status=status), sealed=event.sealed),)
        case requests.WithdrawalAsked():
            if not life.is_open:
                return (_refuse(life, event, context, action="withdraw", why="closed"),)
            return (handling.RequestWithdrawn(**_after(life, event, context, status="withdrawn")),)
        case requests.ReopeningAsked():
            if life.status not in ("answered", "resolved"):
                return (_refuse(life, event, context, action="reopen", why="not_settled"),)
            return (handling.RequestReopened(**_after(life, event, context, status="assigned"), sealed=event.sealed),)
        case requests.RequestErased():
            return (handling.RequestForgotten(**_after(life, event, context, status="erased")),)
        case Act():
            return _act(life, event, context)
        case _:
            raise TypeError(f"the router does not know what to do with {type(event).__name__}")


def _register(event: requests.RequestReceived, context: Context) -> tuple[BaseModel, ...]:
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


def _act(life: Life, act: Act, context: Context) -> tuple[BaseModel, ...]:
    """Do what an agent asks, if the state that they saw still holds and allows it."""
    if act.expected_version is not None and act.expected_version != life.version:
        return (_refuse(life, act, context, action=act.action, why="changed_meanwhile"),)
    status = TRANSITIONS.get((life.status, act.action))
    if status is None:
        return (_refuse(life, act, context, action=act.action, why="not_in_this_state"),)
    if act.action in ("ask", "answer") and not act.has_text:
        return (_refuse(life, act, context, action=act.action, why="no_text"),)
    if act.action == "transfer":
        return _transfer(life, act, context)
    owner = life.service or context.authority.settings.front_desk
    elapsed = context.authority.calendar_of(owner).elapsed(life.received_at, context.now)
    events: tuple[BaseModel, ...] = ()
    if life.taken_at is None:
        taken = _after(life, act, context, status="in_charge")
        events = (
            handling.TakenInCharge(
                **taken,
                received_at=life.received_at,
                due_at=life.due_at,
                elapsed_working_seconds=elapsed,
                sealed=act.sealed,
            ),
        )
        life = evolve(life, events[0])  # type: ignore[assignment]  # an event of a known life leaves a life
    after = _after(life, act, context, status=status)
    match act.action:
        case "ask":
            return (*events, handling.UsagerAsked(**after, sealed=act.sealed or ""))
        case "answer":
            return (
                *events,
                handling.RequestAnswered(**after, elapsed_working_seconds=elapsed, sealed=act.sealed or ""),
            )
        case "resolve":
            return (*events, handling.RequestResolved(**after, elapsed_working_seconds=elapsed, sealed=act.sealed))
        case _:
            return events


def _transfer(life: Life, act: Act, context: Context) -> tuple[BaseModel, ...]:
    authority = context.authority
    target = authority.find_service(act.target) if act.target else None
    if target is None:
        return (_refuse(life, act, context, action="transfer", why="unknown_service"),)
    if target.code == life.service:
        return (_refuse(life, act, context, action="transfer", why="same_service"),)
    if not authority.is_open(target.code, context.now):
        return (_refuse(life, act, context, action="transfer", why="closed_service"),)
    after = _after(life, act, context, status="assigned") | {"service": target.code}
    return (
        handling.RequestTransferred(
            **after, from_service=life.service or authority.settings.front_desk, reason="agent", sealed=act.sealed
        ),
        handling.QueueEntered(
            request_id=after["request_id"],
            authority=life.authority,
            at=context.now,
            service=target.code,
            reference=life.reference,
            category=life.category,
            reason="transferred",
            due_at=life.due_at,
        ),
    )


def _after(life: Life, event: Any, context: Context, *, status: Any) -> dict[str, Any]:
    """Return what every event of the life says: the state after it."""
    return {
        "request_id": context.request_id,
        "authority": life.authority,
        "at": context.now,
        "version": life.version + 1,
        "status": status,
        "service": life.service if status in OPEN else None,
    }


def _refuse(life: Life, event: Any, context: Context, *, action: str, why: str) -> handling.CommandRefused:
    after = _after(life, event, context, status=life.status) | {"version": life.version}
    return handling.CommandRefused(**after, action=action, why=why, since=getattr(event, "expected_version", None))


def evolve(life: Life | None, event: Any) -> Life | None:
    """Return the life after a fact. Of `requests.v1` only the first one matters here: the rest becomes life by our own events."""
    match event:
        case requests.RequestReceived():
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
        case handling.QueueEntered() | handling.CommandRefused() | requests.InformationAdded() | requests.WithdrawalAsked():
            return life
        case requests.ReopeningAsked() | requests.RequestErased():
            return life
        case handling.RequestForgotten() if life is not None:
            history = tuple(replace(entry, sealed=None) for entry in life.history)
            entry = Entry(event.at, event.type_, None)
            return replace(life, status="erased", version=event.version, sealed=None, history=(*history, entry))
        case handling.LifeEvent() if life is not None:
            return _live(life, event)
        case _:
            return life


def _live(life: Life, event: handling.LifeEvent) -> Life:
    entry = Entry(event.at, event.type_, event.service, getattr(event, "sealed", None))
    if isinstance(event, handling.TakenInCharge):
        life = replace(life, taken_at=event.at)
    if isinstance(event, handling.RequestReopened | handling.RequestTransferred):
        life = replace(life, taken_at=None)
    return replace(
        life,
        status=event.status,
        service=event.service or life.service,
        version=event.version,
        reason=getattr(event, "reason", life.reason),
        history=(*life.history, entry),
    )
