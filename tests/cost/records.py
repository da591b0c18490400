"""The fixed workload: records of the log as the services' relays write them."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from shared.delivery.values import Outgoing, RawRecord
from shared.events.envelope import encode_headers, encode_value
from tests.figures.load import request_received

PARTITION = 0
SUBMISSION = b"""{"authority": "rivemont", "channel": "app", "service": "voirie", "email": "solene.vautrin@courriel.example",
    "text": "Bonjour, le lampadaire devant le 12 rue des Tanneurs ne marche plus depuis trois jours. Merci."}"""


def first_records(count: int, at: datetime, *, start: int = 0) -> list[RawRecord]:
    """Return the first events of requests, numbered on from `start`, in one partition."""
    records = []
    for number in range(start, start + count):
        request_id = UUID(int=0x0193_0000_0000_7000_8000_0000_0000_0000 + number)
        event = request_received(number, at).model_copy(update={"request_id": request_id})
        headers = encode_headers(
            type=event.type_, source="/aiguilleur/intake", id=f"{request_id}.requests.v1.1", sequence=1, time=at, traceparent=None
        )
        value = encode_value(event)
        records.append(RawRecord("requests.v1", PARTITION, number, str(request_id).encode(), tuple(headers), value))
    return records


def of_outbox(rows: Iterable[Outgoing], topic: str, *, start: int = 0) -> list[RawRecord]:
    """Return what a relay would write to a topic."""
    records = []
    for number, row in enumerate((row for row in rows if row.topic == topic), start=start):
        assert row.sequence is not None and row.at is not None, "events of a sequenced topic"
        headers = encode_headers(
            type=row.type,
            source="/aiguilleur/router",
            id=f"{row.request_id}.{topic}.{row.sequence}",
            sequence=row.sequence,
            time=row.at,
            traceparent=row.traceparent,
            seen=row.seen,
        )
        records.append(RawRecord(topic, PARTITION, number, row.key, tuple(headers), row.value))
    return records
