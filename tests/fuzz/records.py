"""Good records of every topic, in parts, so that each part can be made another one."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from deploy.local import folders
from shared.delivery.values import RawRecord
from shared.events.contracts import read_examples
from shared.events.envelope import encode_headers
from shared.events.topics import TOPICS, Topic

Headers: TypeAlias = tuple[tuple[str, bytes], ...]
_SECOND: Final = {
    "requests.v1": "fr.aiguilleur.request.withdrawal_asked.v1",
    "handling.v1": "fr.aiguilleur.handling.transferred.v1",
    "escalations.v1": "fr.aiguilleur.escalation.missed.v1",
    "notifications.v1": "fr.aiguilleur.notification.failed.v1",
    "intake.inbound.v1": "fr.aiguilleur.request.submitted.v1",
    "commands.v1": "fr.aiguilleur.command.issued.v1",
}
_FIRST: Final = {
    "requests.v1": "fr.aiguilleur.request.received.v1",
    "handling.v1": "fr.aiguilleur.handling.registered.v1",
    "escalations.v1": "fr.aiguilleur.escalation.warned.v1",
    "notifications.v1": "fr.aiguilleur.notification.sent.v1",
    "intake.inbound.v1": "fr.aiguilleur.request.submitted.v1",
    "commands.v1": "fr.aiguilleur.command.issued.v1",
}
_EXAMPLES: Final = read_examples(folders.ROOT / "docs/events")
TOPIC: Final = {topic.name: topic for topic in TOPICS}


@dataclass(frozen=True)
class Good:
    """A record that is taken, in parts."""

    topic: str
    request_id: UUID
    value: bytes | None
    headers: Headers
    key: bytes | None

    @property
    def data(self) -> dict[str, Any]:
        """The event as JSON."""
        told: dict[str, Any] = json.loads(self.value or b"")
        return told

    def saying(self, **changes: Any) -> "Good":
        """The same with other fields."""
        return self.holding(json.dumps(self.data | changes).encode())

    def holding(self, value: bytes | None) -> "Good":
        """The same with another value."""
        return replace(self, value=value)

    def telling(self, name: str, value: bytes | None) -> "Good":
        """The same with another header; None: without it."""
        told: dict[str, bytes | None] = {**dict(self.headers), name: value}
        return replace(self, headers=tuple((name, value) for name, value in told.items() if value is not None))

    def adding(self, headers: Headers) -> "Good":
        """The same with more headers behind its own."""
        return replace(self, headers=(*self.headers, *headers))

    def keyed(self, key: bytes | None) -> "Good":
        """The same under another key."""
        return replace(self, key=key)

    def raw(self, *, partition: int = 0, offset: int = 0) -> RawRecord:
        """The record at a place of the log."""
        return RawRecord(self.topic, partition, offset, self.key, self.headers, self.value)


def good(topic: Topic, request_id: UUID, *, sequence: int = 1, **changes: Any) -> Good:
    """Return a good record of a topic about a request: its first event there, or what may come second."""
    name = (_FIRST if sequence == 1 else _SECOND)[topic.name]
    data = _EXAMPLES[name] | changes
    if "request_id" in data:
        data |= {"request_id": str(request_id)}
    at = datetime(2026, 3, 3, 8, tzinfo=UTC)
    source, id = f"/of/{request_id}", f"{request_id}.{sequence}"
    headers = tuple(encode_headers(type=name, source=source, id=id, sequence=sequence, time=at, traceparent=None))
    return Good(topic.name, request_id, json.dumps(data).encode(), headers, str(request_id).encode())
