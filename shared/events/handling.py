"""`handling.v1`: the request's life, in one order. Written by the router alone. And `queues.v1`, its view by service."""

from typing import ClassVar, Final, Literal

from pydantic import AwareDatetime, Field

from shared.events.base import Code, Event, Sealed
from shared.events.requests import Channel

Status = Literal["registered", "assigned", "in_charge", "waiting", "answered", "resolved", "withdrawn", "erased"]
STILL_WAITING: Final[frozenset[Status]] = frozenset({"registered", "assigned"})
"""The states in which nobody has said "mine" yet: every other one ends the delay of taking charge, for good."""
Action = Literal["take_charge", "ask", "answer", "transfer", "resolve"]


class LifeEvent(Event):
    """A step of the life: the status and the owner that hold after it, and the version of the state (1, 2, 3...)."""

    version: int = Field(ge=0)
    status: Status
    service: Code | None


class RequestRegistered(LifeEvent):
    """The router knows the request."""

    type_: ClassVar[str] = "fr.aiguilleur.handling.registered.v1"
    reference: str
    channel: Channel
    category: Code | None


class RequestAssigned(LifeEvent):
    """A service owns the request; `reason` is a code (chosen, unknown_service, closed_service, nobody_chose...)."""

    type_: ClassVar[str] = "fr.aiguilleur.handling.assigned.v1"
    reason: Code
    asked_service: str | None = Field(default=None, max_length=64)


class RequestTransferred(LifeEvent):
    """The request went from one service to another (`service`), asked by an agent (sealed: AgentAct)."""

    type_: ClassVar[str] = "fr.aiguilleur.handling.transferred.v1"
    from_service: Code
    reason: Code
    sealed: Sealed | None = None


class TakenInCharge(LifeEvent):
    """An agent said "mine" (sealed: AgentAct): the clock of taking charge stops."""

    type_: ClassVar[str] = "fr.aiguilleur.handling.taken_in_charge.v1"
    received_at: AwareDatetime
    due_at: AwareDatetime
    elapsed_working_seconds: int = Field(ge=0)
    sealed: Sealed | None = None


class UsagerAsked(LifeEvent):
    """An agent asked the usager for something (sealed: AgentAct); the request waits."""

    type_: ClassVar[str] = "fr.aiguilleur.handling.usager_asked.v1"
    sealed: Sealed


class UsagerReplied(LifeEvent):
    """What the usager added became part of the life (sealed: UsagerMessage)."""

    type_: ClassVar[str] = "fr.aiguilleur.handling.usager_replied.v1"
    sealed: Sealed


class RequestAnswered(LifeEvent):
    """An agent answered (sealed: AgentAct with the text)."""

    type_: ClassVar[str] = "fr.aiguilleur.handling.answered.v1"
    elapsed_working_seconds: int = Field(ge=0)
    sealed: Sealed


class RequestResolved(LifeEvent):
    """The request is settled and closed."""

    type_: ClassVar[str] = "fr.aiguilleur.handling.resolved.v1"
    elapsed_working_seconds: int = Field(ge=0)
    sealed: Sealed | None = None


class RequestReopened(LifeEvent):
    """The usager said that it is not settled (sealed: UsagerMessage); the same service owns it again."""

    type_: ClassVar[str] = "fr.aiguilleur.handling.reopened.v1"
    sealed: Sealed | None = None


class RequestWithdrawn(LifeEvent):
    """The usager withdrew; closed."""

    type_: ClassVar[str] = "fr.aiguilleur.handling.withdrawn.v1"


class RequestForgotten(LifeEvent):
    """The personal data was erased; closed for good."""

    type_: ClassVar[str] = "fr.aiguilleur.handling.forgotten.v1"


class CommandRefused(LifeEvent):
    """Somebody asked what the state does not allow. Nothing changed; `why` is a code, `since` the version they had seen."""

    type_: ClassVar[str] = "fr.aiguilleur.handling.command_refused.v1"
    action: str = Field(max_length=64)
    why: Code
    since: int | None = None


class QueueEntered(Event):
    """`queues.v1`: a request entered the queue of a service. Keyed by authority and service."""

    type_: ClassVar[str] = "fr.aiguilleur.queue.entered.v1"
    service: Code
    reference: str
    category: Code | None
    reason: Code
    due_at: AwareDatetime
