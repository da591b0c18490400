"""What the notifier knows of a request, and the letters that it has to send about it."""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct, field

from shared.events.escalations import ClockName
from shared.events.handling import Status
from shared.events.notifications import LetterKind, Recipient

Outcome: TypeAlias = Literal["sent", "failed"]


class Subject(Struct, frozen=True):
    """What the request is about, as intake accepted it (requests.v1). `sealed`: Content; None once it was erased."""

    reference: str
    channel: str
    service: str | None
    category: str | None
    language: str
    demande: bool
    received_at: datetime
    promise_label: str
    due_at: datetime
    sealed: str | None


class Letter(Struct, frozen=True):
    """A letter to be sent, and what it arose from. Addresses and words are found when it is composed.

    `service` is the one that owned the request then (None: nobody, as far as was known). `reason` is a routing reason,
    "agent", "reopened". `from_service`: who had it before. `sealed`: what somebody wrote that the letter passes on.
    `promise`, `level`, `due_at`: of a warning or an escalation.
    """

    kind: LetterKind
    recipient: Recipient
    at: datetime
    service: str | None = None
    reason: str | None = None
    from_service: str | None = None
    asked_service: str | None = None
    promise: ClockName | None = None
    level: int | None = None
    due_at: datetime | None = None
    sealed: str | None = None


class Correspondence(Struct, frozen=True):
    """A request as the notifier knows it.

    `subject` is written by requests.v1 alone; `owner` (the last one, once it is closed), `status` and `version` by
    handling.v1 alone. `letters` are those still to be sent, by name; `done` says what became of the others: a name in it
    never comes up again. So any order across topics ends in the same state.
    """

    authority: str
    subject: Subject | None = None
    owner: str | None = None
    status: Status = "registered"
    version: int = 0
    erased: bool = False
    letters: dict[str, Letter] = field(default_factory=dict)
    done: dict[str, Outcome] = field(default_factory=dict)

    @property
    def due_letters(self) -> dict[str, Letter]:
        """The letters that can be sent: all of them, as soon as the request itself is known here."""
        return self.letters if self.subject is not None else {}
