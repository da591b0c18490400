"""Records that nobody should write, written all the same: duplicates, gaps, poison, too large."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaProducer
from pydantic import BaseModel

from shared.events.envelope import encode_headers
from shared.events.requests import WithdrawalAsked
from tests.proof.load import AUTHORITY, request_received


def event_headers(event: BaseModel, request_id: UUID, sequence: int) -> list[tuple[str, bytes]]:
    """Return the headers that intake's relay would give."""
    return encode_headers(
        type=event.type_,  # type: ignore[attr-defined]  # every event class has it
        source="/aiguilleur/intake",
        id=f"{request_id}.requests.v1.{sequence}",
        sequence=sequence,
        time=datetime.now(UTC),
        traceparent=None,
    )


async def publish(kafka: str, topic: str, records: Sequence[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]]) -> None:
    """Write (key, value, headers) to a topic, in order."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, max_request_size=1_040_000)
    await producer.start()
    try:
        for key, value, headers in records:
            await producer.send_and_wait(topic, value, key=key, headers=headers)
    finally:
        await producer.stop()


async def publish_out_of_order(kafka: str) -> UUID:
    """Write the second event of a new request before its first, twice each; return its id."""
    first = request_received(999_999, datetime.now(UTC))
    request_id = first.request_id
    second = WithdrawalAsked(request_id=request_id, authority=AUTHORITY, at=datetime.now(UTC))
    key = str(request_id).encode()
    late = (key, first.model_dump_json().encode(), event_headers(first, request_id, 1))
    early = (key, second.model_dump_json().encode(), event_headers(second, request_id, 2))
    await publish(kafka, "requests.v1", [early, early, late, late])
    return request_id


async def publish_poison(kafka: str) -> tuple[int, UUID]:
    """Write records that nobody can read; return how many, and the request that one of them is about."""
    key = str(uuid.uuid4()).encode()
    good = request_received(1, datetime.now(UTC))
    headers = event_headers(good, good.request_id, 1)
    large = good.model_dump_json().encode() + b" " * 910_000
    records: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = [
        (key, b"{", []),
        (key, None, []),
        (b"\xff\xfe", b"not json", [("ce_type", b"\xff")]),
        (key, b"{}", headers),
        (key, b"", event_headers(good, good.request_id, 2)),
        (b"somebody-else", good.model_dump_json().encode(), headers),
        (str(good.request_id).encode(), large, headers),
    ]
    await publish(kafka, "requests.v1", records)
    return len(records), good.request_id
