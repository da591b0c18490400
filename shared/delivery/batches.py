"""Batches: records of the log as Kafka handed them over, by partition, and how a large one is divided."""

from collections.abc import Sequence

from aiokafka import ConsumerRecord

from shared.delivery.store import Place
from shared.delivery.values import RawRecord

PARTS = 6
"""Into how many transactions a large batch is divided: one decides while others are being written. Fewer than a pool's
connections: pages need some, too."""
Batches = dict[Place, list[RawRecord]]


def by_place(records: Sequence[ConsumerRecord]) -> Batches:
    """Return the records of each partition, in their order."""
    batches: Batches = {}
    for one in records:
        headers = tuple([(name, value or b"") for name, value in one.headers])
        raw = RawRecord(one.topic, one.partition, one.offset, one.key, headers, one.value)
        batches.setdefault((one.topic, one.partition), []).append(raw)
    return batches


def parts_of(batches: Batches) -> list[Batches]:
    """Divide a batch by the number of the partition: a request has the same one in all topics, so parts share no request."""
    parts: list[Batches] = [{} for _ in range(PARTS)]
    for place, records in batches.items():
        parts[place[1] % PARTS][place] = records
    return [part for part in parts if part]
