"""services.yaml: the departments and the elected officials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.organisation.authority_file import Manager
from shared.organisation.fields import Code, ConfigurationModel, Day, Email, Label, Phone, PostalAddress, Prose

if TYPE_CHECKING:
    from shared.organisation.authority import Authority


@dataclass(frozen=True, slots=True)
class PublicContact:
    """What a receipt must say of the service in charge (CRPA R112-5): name, postal address, phone, e-mail."""

    name: str
    postal_address: tuple[str, ...]
    phone: str
    email: str


class ServiceClosure(ConfigurationModel):
    """The service takes nothing from `first` to `last`, both included; without `last`, until further notice."""

    first: Day = Field(alias="from")
    last: Day | None = Field(default=None, alias="until")
    reason: Label

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last is not None and self.last < self.first:
            raise ValueError(f"until {self.last} is before from {self.first}")
        return self

    def covers(self, day: date) -> bool:
        """Whether the service is closed on that local day."""
        return self.first <= day and (self.last is None or day <= self.last)


class Service(ConfigurationModel):
    """A department or the office of an elected official.

    `mailbox` is where agents work and never shown to usagers; `email`, `phone` and `postal_address` are public and
    default to the authority's. `cover` acts for the service in its absence. `order` sorts the public list.
    """

    code: Code
    name: Label
    kind: Literal["department", "elected"]
    title: Label | None = None
    description: Prose
    mailbox: Email
    head_of_service: Manager | None = None
    calendar: Code
    cover: Code | None = None
    closed: ServiceClosure | None = None
    postal_address: PostalAddress | None = None
    phone: Phone | None = None
    email: Email | None = None
    order: Annotated[int, Field(strict=True, ge=0)] = 100

    @model_validator(mode="after")
    def _title_of_the_elected(self) -> Self:
        if (self.kind == "elected") != (self.title is not None):
            raise ValueError("an elected official has a title (Maire, Adjointe à ...), a department has none")
        return self

    def closed_on(self, day: date) -> bool:
        """Whether a closure covers that local day."""
        return self.closed is not None and self.closed.covers(day)

    @property
    def full_name(self) -> str:
        """The name as usagers read it; an elected official's with the title."""
        return f"{self.name}, {self.title}" if self.title else self.name

    def contact(self, authority: Authority) -> PublicContact:
        """The public contact, each part from the service if it has it, else from the authority."""
        return PublicContact(
            name=self.full_name,
            postal_address=self.postal_address or authority.postal_address,
            phone=self.phone or authority.phone,
            email=self.email or authority.email,
        )


class ServicesFile(ConfigurationModel):
    """All services, in the order in which they were written."""

    services: Annotated[tuple[Service, ...], Field(min_length=1)]
