"""What others publish: `intake.inbound.v1` (channel adapters) and `commands.v1` (business software)."""

from typing import Annotated, ClassVar, Final
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from shared.events.base import Code, MailAddress
from shared.events.handling import Action
from shared.events.requests import Channel


class Submission(BaseModel):
    """A request as a channel hands it over, also the body of `POST /v1/requests`. Personal data in clear: see the topic.

    At least one of `email` and `phone` lets somebody answer; a name is never asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    authority: Code
    channel: Channel = "adapter"
    service: str | None = Field(default=None, max_length=64)
    category: str | None = Field(default=None, max_length=64)
    name: str | None = Field(default=None, max_length=200)
    email: MailAddress | None = None
    phone: str | None = Field(default=None, max_length=32, pattern=r"^[0-9+() .\-]{4,32}$")
    text: str = Field(min_length=1, max_length=20_000)
    answers: dict[Code, str] = Field(default_factory=dict, max_length=50)
    language: str = Field(default="fr", pattern=r"^[a-z]{2}$")

    @model_validator(mode="after")
    def _reachable(self) -> "Submission":
        if self.email is None and self.phone is None:
            raise ValueError("give an email or a phone, so that somebody can answer")
        return self


class RequestSubmitted(Submission):
    """`intake.inbound.v1`: an adapter hands over a request. De-duplicated on CloudEvents (source, id)."""

    type_: ClassVar[str] = "fr.aiguilleur.request.submitted.v1"


_HIGHEST_VERSION: Final = 2**31 - 1
"""What an `integer` of PostgreSQL, and an `int` of most languages, holds: a refusal repeats the version seen to all readers."""


def _check_version(version: int) -> int:
    if not 1 <= version <= _HIGHEST_VERSION:
        raise ValueError(f"give the version of a life (1 to {_HIGHEST_VERSION}), as handling.v1 told it, or none")
    return version


class CommandIssued(BaseModel):
    """`commands.v1`: business software asks the router for something. Codes only, no personal data, no free text.

    `expected_version` is the version of the life that it was looking at (1 to 2147483647); where another one holds by now,
    the router refuses. `at` is the sender's word: nothing is reckoned from it, what follows bears the router's own instant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type_: ClassVar[str] = "fr.aiguilleur.command.issued.v1"
    request_id: UUID
    authority: Code
    at: AwareDatetime
    action: Action
    service: Code | None = None
    expected_version: Annotated[int, AfterValidator(_check_version)] | None = None
    """Its bounds are in no schema: there they would be a new version of the type."""
