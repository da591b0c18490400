"""`escalations.v1`: promises about to break, and broken. Written by the sla service alone."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.events.base import Code, Event

Told = Literal["service", "cover", "head_of_service", "general_management"]
ClockName = Literal["taking_charge", "unowned"]
"""`taking_charge`: the delay announced to the usager. `unowned`: how long a request may be without owner, an inner rule."""


class EscalationEvent(Event):
    """What all say. `promise` is the clock that ran. `service` is the owner as the sla knows it; None: nobody, so far.

    Where `service` is None, the front desk stands in for it: its cover, its head of service are told.
    """

    promise: ClockName
    service: Code | None
    due_at: AwareDatetime


class PromiseWarned(EscalationEvent):
    """The announced delay is about to run out: the service in charge is warned, once."""

    type_: ClassVar[str] = "fr.aiguilleur.escalation.warned.v1"


class PromiseMissed(EscalationEvent):
    """The delay ran out at `due_at`: said once, at that instant. `next_level` of the ladder is climbed at `next_at`."""

    type_: ClassVar[str] = "fr.aiguilleur.escalation.missed.v1"
    next_level: int = Field(ge=1, le=9)
    next_at: AwareDatetime


class EscalationRaised(EscalationEvent):
    """The delay ran out at `due_at`; `tell` is told at this level of the ladder, once. None follows without `next_level`."""

    type_: ClassVar[str] = "fr.aiguilleur.escalation.raised.v1"
    level: int = Field(ge=1, le=9)
    tell: Told
    next_level: int | None = Field(default=None, ge=1, le=9)
    next_at: AwareDatetime | None = None
