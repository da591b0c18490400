"""`requests.v1`: what usagers did. Written by intake alone."""

from datetime import UTC, date, datetime
from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events.base import Code, Event, Sealed

Channel = Literal["web", "email", "messenger", "instagram", "mastodon", "procedure", "app", "phone", "desk", "adapter"]


class Promise(BaseModel):
    """The announced delay of one request, made once by intake and kept by everybody downstream.

    `working_seconds` of the calendar (code, version) counted from `start_at` end at `due_at`; the service is warned at
    `warn_at`; past `due_at` the escalation `ladder` is climbed.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: Code
    kind: Literal["taking_charge"]
    label: str
    start_at: AwareDatetime
    working_seconds: int = Field(gt=0)
    warn_at: AwareDatetime
    due_at: AwareDatetime
    calendar: Code
    calendar_version: int
    ladder: Code


def _utc_date(validated: dict[str, Any]) -> date:  # Any: what pydantic has validated so far
    at: datetime = validated["at"]
    return at.astimezone(UTC).date()


class RequestReceived(Event):
    """A usager's request was accepted. `service` is what the usager chose, if anything."""

    type_: ClassVar[str] = "fr.aiguilleur.request.received.v1"
    reference: str
    channel: Channel
    service: Code | None
    category: Code | None
    language: Code
    demande: bool
    promise: Promise
    unowned_due_at: AwareDatetime
    sealed: Sealed
    received_on: date = Field(default_factory=_utc_date)
    """The local day of the authority on which it came, as the statistics count it; the UTC day where a producer does not say."""
    token_digest: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the token that opens the usager's private page: for intake alone, to find the request again."""
    escrow: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{123}=$")
    """The key of the request, sealed to a public key that is kept offline: for a database that had to be restored."""


class InformationAdded(Event):
    """The usager added a message to their request (sealed: UsagerMessage)."""

    type_: ClassVar[str] = "fr.aiguilleur.request.information_added.v1"
    sealed: Sealed


class WithdrawalAsked(Event):
    """The usager no longer wants an answer."""

    type_: ClassVar[str] = "fr.aiguilleur.request.withdrawal_asked.v1"


class ReopeningAsked(Event):
    """The usager says that the request is not settled (sealed: UsagerMessage)."""

    type_: ClassVar[str] = "fr.aiguilleur.request.reopening_asked.v1"
    sealed: Sealed


class RequestErased(Event):
    """The key of the request was destroyed: whatever is sealed under it can no longer be read by anyone."""

    type_: ClassVar[str] = "fr.aiguilleur.request.erased.v1"
