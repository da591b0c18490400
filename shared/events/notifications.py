"""`notifications.v1`: what became of each mail, never what it says. Written by the notifier alone."""

from typing import ClassVar, Literal

from pydantic import Field

from shared.events.base import Code, Event

LetterKind = Literal["receipt", "assignment", "warning", "escalation", "question", "answer", "resolution", "transfer_notice"]
Recipient = Literal["usager", "service", "cover", "head_of_service", "general_management"]


class MailSent(Event):
    """The mail server took the mail. `letter` is its stable name within the request."""

    type_: ClassVar[str] = "fr.aiguilleur.notification.sent.v1"
    letter: str = Field(max_length=120)
    kind: LetterKind
    recipient: Recipient
    service: Code | None
    attempts: int = Field(ge=1)


class MailFailed(Event):
    """The mail was given up: refused for good (`permanent`), out of tries, or nobody can read its content any more."""

    type_: ClassVar[str] = "fr.aiguilleur.notification.failed.v1"
    letter: str = Field(max_length=120)
    kind: LetterKind
    recipient: Recipient
    service: Code | None
    attempts: int = Field(ge=0)
    why: Code
