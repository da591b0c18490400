"""Batches: records of the log as Kafka handed them over, by partition, and how a large one is divided."""

from collections.abc import Sequence

from aiokafka import ConsumerRecord

from shared.delivery.store import Place
from shared.delivery.values import RawRecord

LANES = 6
"""Into how many transactions a large batch is divided: one decides while others are being written."""
Batches = dict[Place, list[RawRecord]]


def by_place(records: Sequence[ConsumerRecord]) -> Batches:
    """Return the records of each partition, in their order."""
    batches: Batches = {}
    for one in records:
        headers = tuple([(name, value or b"") for name, value in one.headers])
        raw = RawRecord(one.topic, one.partition, one.offset, one.key, headers, one.value)
        batches.setdefault((one.topic, one.partition), []).append(raw)
    return batches


def lanes_of(batches: Batches) -> list[Batches]:
    """Divide a batch by the number of the partition: a request has the same one in all topics, so lanes share no request."""
    lanes: list[Batches] = [{} for _ in range(LANES)]
    for place, records in batches.items():
        lanes[place[1] % LANES][place] = records
    return [lane for lane in lanes if lane]
