"""What a usager can ask for, ready to be decided: texts are sealed and checked before."""

from dataclasses import dataclass
from datetime import datetime

from shared.events.requests import Channel, Promise


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """A request that was found good. `service` is what the usager chose, whether it exists or not."""

    reference: str
    token_digest: str
    channel: Channel
    service: str | None
    category: str | None
    language: str
    demande: bool
    received_at: datetime
    promise: Promise
    unowned_due_at: datetime
    sealed: str


@dataclass(frozen=True, slots=True)
class AddInformation:
    """One more message (sealed: UsagerMessage)."""

    sealed: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """No answer is wanted any more."""


@dataclass(frozen=True, slots=True)
class AskReopening:
    """It is not settled, and why (sealed: UsagerMessage)."""

    sealed: str


@dataclass(frozen=True, slots=True)
class Erase:
    """The key is destroyed along with this."""
