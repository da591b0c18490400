"""`escalations.v1`: promises about to break, and broken. Written by the sla service alone."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.events.base import Code, Event

Told = Literal["service", "cover", "head_of_service", "general_management"]


class PromiseWarned(Event):
    """The announced delay is about to run out: the service in charge is warned, once."""

    type_: ClassVar[str] = "fr.aiguilleur.escalation.warned.v1"
    promise: Code
    service: Code | None
    due_at: AwareDatetime


class EscalationRaised(Event):
    """The delay ran out at `due_at`; `tell` is told at this level of the ladder, once. `unowned`: nobody owns the request."""

    type_: ClassVar[str] = "fr.aiguilleur.escalation.raised.v1"
    promise: Code
    service: Code | None
    due_at: AwareDatetime
    level: int = Field(ge=1, le=9)
    tell: Told
