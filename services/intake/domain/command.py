"""What a usager can ask for, ready to be decided: texts are sealed and checked before."""

from datetime import datetime

from msgspec import Struct

from shared.events.requests import Channel, Promise


class SubmitRequest(Struct, frozen=True):
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
    escrow: str | None = None


class AddInformation(Struct, frozen=True):
    """One more message (sealed: UsagerMessage)."""

    sealed: str


class Withdraw(Struct, frozen=True):
    """No answer is wanted any more."""


class AskReopening(Struct, frozen=True):
    """It is not settled, and why (sealed: UsagerMessage)."""

    sealed: str


class Erase(Struct, frozen=True):
    """The key is destroyed along with this. `closed_at`: because it has been closed since then; None: the usager wants it."""

    closed_at: datetime | None = None
