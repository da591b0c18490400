"""Records that nobody should write, written all the same: duplicates, gaps, poison, too large."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from aiokafka import AIOKafkaProducer
from pydantic import BaseModel

from shared.events.envelope import encode_headers
from shared.events.requests import WithdrawalAsked
from tests.figures.load import AUTHORITY, request_received

Headers: TypeAlias = list[tuple[str, bytes]]
Forged: TypeAlias = tuple[bytes | None, bytes | None, Headers]
"""Key, value, headers."""


@dataclass(frozen=True)
class OutOfOrder:
    """A new request's second event, which is to be written first, and its first event."""

    request_id: UUID
    early: Forged
    late: Forged


@dataclass(frozen=True)
class Poison:
    """Records that nobody can read, and the requests that they say they are about."""

    records: list[Forged]
    about: set[UUID]


def event_headers(event: BaseModel, request_id: UUID, sequence: int) -> Headers:
    """Return the headers that intake's relay would give."""
    return encode_headers(
        type=event.type_,  # type: ignore[attr-defined]  # every event class has it
        source="/aiguilleur/intake",
        id=f"{request_id}.requests.v1.{sequence}",
        sequence=sequence,
        time=datetime.now(UTC),
        traceparent=None,
    )


async def publish(kafka: str, topic: str, records: Sequence[Forged]) -> None:
    """Write records to a topic, in order."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, max_request_size=1_040_000)
    await producer.start()
    try:
        for key, value, headers in records:
            await producer.send_and_wait(topic, value, key=key, headers=headers)
    finally:
        await producer.stop()


def out_of_order() -> OutOfOrder:
    """Return the first two events of a new request."""
    first = request_received(999_999, datetime.now(UTC))
    request_id = first.request_id
    second = WithdrawalAsked(request_id=request_id, authority=AUTHORITY, at=datetime.now(UTC))
    key = str(request_id).encode()
    return OutOfOrder(
        request_id,
        early=(key, second.model_dump_json().encode(), event_headers(second, request_id, 2)),
        late=(key, first.model_dump_json().encode(), event_headers(first, request_id, 1)),
    )


def poison() -> Poison:
    """Return records that cannot be read, each in another way."""
    stranger = uuid.uuid4()
    key = str(stranger).encode()
    good = request_received(1, datetime.now(UTC))
    headers = event_headers(good, good.request_id, 1)
    large = good.model_dump_json().encode() + b" " * 910_000
    records: list[Forged] = [
        (key, b"{", []),
        (key, None, []),
        (b"\xff\xfe", b"not json", [("ce_type", b"\xff")]),
        (key, b"{}", headers),
        (key, b"", event_headers(good, good.request_id, 2)),
        (b"somebody-else", good.model_dump_json().encode(), headers),
        (str(good.request_id).encode(), large, headers),
    ]
    return Poison(records, {good.request_id, stranger})
