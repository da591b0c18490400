"""authority.yaml: who the authority is, how it looks, what the law makes it say."""

from typing import Annotated, Literal

from pydantic import Field

from shared.organisation.fields import (
    Code,
    Colour,
    ConfigurationModel,
    Email,
    Label,
    Phone,
    PostalAddress,
    Prose,
    Timezone,
    WebAddress,
)


class Manager(ConfigurationModel):
    """Somebody whom an escalation can reach."""

    name: Label
    mailbox: Email


class Brand(ConfigurationModel):
    """How pages and mails look. Text in `primary` stands on white, hence its contrast."""

    primary: Colour
    short_name: Label
    initials: Annotated[str, Field(pattern=r"^\w{1,3}$")]
    welcome: Prose


class Court(ConfigurationModel):
    """The administrative court that receipts of a *demande* must name (CRPA R112-5)."""

    name: Label
    postal_address: PostalAddress
    website: WebAddress | None = None


class Legal(ConfigurationModel):
    """Legal mentions. `consent` stands beside the form's button; `retention_months` run from the settled request."""

    controller: Label
    dpo_contact: Email
    retention_months: Annotated[int, Field(strict=True, ge=1, le=120)]
    consent: Prose
    appeal_court: Court
    mediation: Prose | None = None


class AuthorityFile(ConfigurationModel):
    """The authority itself. Its contact data stand in for those that a service does not give."""

    code: Code
    name: Label
    kind: Literal["commune", "epci", "departement", "region", "syndicat"]
    timezone: Timezone
    languages: Annotated[tuple[Literal["fr", "en"], ...], Field(min_length=1)]
    postal_address: PostalAddress
    phone: Phone
    email: Email
    public_url: WebAddress
    front_desk: Code
    general_management: Manager
    brand: Brand
    legal: Legal
