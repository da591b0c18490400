"""The JSON of the API: what it answers, and how OpenAPI tells it."""

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.intake.domain.request import Status, What
from services.intake.tracking import Delay, Kept, Tracked
from shared.events.inbound import Submission


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


class ServiceDocument(_Document):
    """A service: its code, and what a usager needs to reach it."""

    code: str
    name: str
    postal_address: tuple[str, ...]
    phone: str
    email: str


class PromiseDocument(_Document):
    """The announced delay: hours of opening of the service in charge, and the instant when they are over."""

    code: str
    label: str
    working_seconds: int
    due_at: datetime


class AcceptedDocument(_Document):
    """A request that was accepted, and is committed. Whoever has `tracking_token` can read and change the request."""

    request_id: UUID
    reference: str
    tracking_token: str
    tracking_url: str
    received_at: datetime
    service: ServiceDocument
    promise: PromiseDocument


class DelayDocument(_Document):
    """The announced delay and what became of it."""

    label: str
    working_seconds: int
    due_at: datetime
    taken_in_charge_at: datetime | None
    kept: Kept = Field(
        description="running, late: nobody has it in charge yet; kept, broken: somebody has; void: nobody needs to"
    )


class HistoryDocument(_Document):
    """One thing that happened. `text` is what the usager or the service wrote."""

    at: datetime
    what: What
    service: str | None
    note: str | None = Field(description="why it was assigned so, who was told of the late request, or which act was refused")
    text: str | None


class TrackedDocument(_Document):
    """A request as its usager may see it."""

    request_id: UUID
    authority: str
    reference: str
    status: Status
    received_at: datetime
    category: str | None
    service: ServiceDocument | None
    promise: DelayDocument | None
    text: str | None = Field(description="what was asked; null once the request is erased")
    history: tuple[HistoryDocument, ...]

    @classmethod
    def of(cls, tracked: Tracked) -> "TrackedDocument":
        """Return the document of a request."""
        state = tracked.state
        assert state.received_at is not None, "a request is found by its token only once it was received"
        service = tracked.service
        return cls(
            request_id=tracked.request_id,
            authority=state.authority,
            reference=state.reference,
            status=state.status,
            received_at=state.received_at,
            category=state.category,
            service=service_document(service, tracked.authority) if service else None,
            promise=_delay(tracked.delay) if tracked.delay else None,
            text=tracked.content.text if tracked.content else None,
            history=tuple(
                HistoryDocument(at=line.at, what=line.what, service=line.service, note=line.note, text=line.text)
                for line in tracked.lines
            ),
        )


class FieldProblemDocument(_Document):
    """A field that is wrong. `field`: a JSON pointer into the body (RFC 6901), or the name of a header."""

    model_config = ConfigDict(extra="forbid")

    field: str
    detail: str
    code: str
    place: Literal["query", "path", "header", "cookie"] | None = Field(default=None, alias="in")


class ProblemDocument(_Document):
    """Problem details, RFC 9457. `remedy` says what to do; `error_id` is for whoever looks into our log."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    remedy: str
    errors: tuple[FieldProblemDocument, ...] | None = None
    error_id: str | None = None


def _delay(delay: Delay) -> DelayDocument:
    return DelayDocument(
        label=delay.label,
        working_seconds=delay.working_seconds,
        due_at=delay.due_at,
        taken_in_charge_at=delay.taken_at,
        kept=delay.kept,
    )


def service_document(service: Any, authority: Any) -> ServiceDocument:
    """Return the public contact of a service. Any: Service and Authority of the organisation."""
    contact = service.contact(authority)
    return ServiceDocument(
        code=service.code, name=contact.name, postal_address=contact.postal_address, phone=contact.phone, email=contact.email
    )


REACHABLE: Final = [{"required": ["email"], "properties": {"email": {"type": "string"}}},
                    {"required": ["phone"], "properties": {"phone": {"type": "string"}}}]  # fmt: skip


def submission_schema(authorities: tuple[str, ...]) -> dict[str, Any]:
    """Return the JSON Schema of a body of `POST /v1/requests`, with the authorities that are installed."""
    schema = Submission.model_json_schema()
    schema["properties"]["authority"]["enum"] = list(authorities)
    schema["anyOf"] = REACHABLE
    schema["examples"] = [
        {"authority": authorities[0], "email": "camille@exemple.fr", "text": "Le lampadaire devant chez moi est éteint."}
    ]
    return schema
