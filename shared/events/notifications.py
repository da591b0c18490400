"""`notifications.v1`: what became of each mail, never what it says. Written by the notifier alone."""

from typing import ClassVar, Literal

from pydantic import Field

from shared.events.base import Code, Event

LetterKind = Literal[
    "receipt",
    "assignment",
    "usager_message",
    "withdrawal",
    "warning",
    "escalation",
    "question",
    "answer",
    "resolution",
    "transfer_notice",
]
Recipient = Literal["usager", "service", "cover", "head_of_service", "general_management"]


class MailEvent(Event):
    """What both say. `letter` is its stable name within the request; `service` the one that it is about or goes to."""

    letter: str = Field(max_length=120)
    kind: LetterKind
    recipient: Recipient
    service: Code | None


class MailSent(MailEvent):
    """The mail server took the mail, at this attempt."""

    type_: ClassVar[str] = "fr.aiguilleur.notification.sent.v1"
    attempts: int = Field(ge=1)


class MailFailed(MailEvent):
    """The mail was given up: refused for good, no address, out of tries, or nobody can read its content any more.

    `why`: refused, no_address, bad_address, erased, unreadable, out_of_tries. `attempts`: 0 where none was worth it.
    """

    type_: ClassVar[str] = "fr.aiguilleur.notification.failed.v1"
    attempts: int = Field(ge=0)
    why: Code
