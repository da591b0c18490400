"""The events of a life, as the router tells them."""

from typing import Any, TypeVar

from services.router.domain.life import OPEN, Life, Move
from shared.delivery.service import Context
from shared.events import handling
from shared.events.handling import Status

E = TypeVar("E", bound=handling.LifeEvent)


def tell(life: Life, context: Context, cls: type[E], status: Status, **more: Any) -> E:  # Any: the fields of its class
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


def refuse(life: Life, context: Context, move: Move, why: str, *, since: int | None = None) -> handling.CommandRefused:
    """Return the event that says that nothing changed, and why."""
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


def enter_queue(life: Life, context: Context, service: str, reason: str) -> handling.QueueEntered:
    """Return the event that tells a service's queue of the request."""
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


def elapsed(life: Life, context: Context) -> int:
    """Return the working time since the request came, in the calendar of its owner (of the front desk, if that one is gone)."""
    owner = context.authority.find_service(life.service) or context.authority.front_desk_service
    return context.authority.calendar_of(owner.code).elapsed(life.received_at, max(context.now, life.received_at))
