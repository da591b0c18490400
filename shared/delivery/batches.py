"""Batches: records of the log as Kafka handed them over, by partition, and how a large one is divided."""

from collections.abc import Sequence
from typing import Any

from aiokafka import ConsumerRecord
from faststream.kafka import KafkaMessage

from shared.delivery.store import Place
from shared.delivery.values import RawRecord

LANES = 6
"""Into how many transactions a large batch is divided: one decides while others are being written."""
Batches = dict[Place, list[RawRecord]]


async def parse(records: Sequence[ConsumerRecord]) -> KafkaMessage:
    """Wrap raw records without looking at them: a header that is not UTF-8 must reach the shell, not an exception."""
    return KafkaMessage(body=b"", raw_message=tuple(records), headers={}, message_id="batch", consumer=None)  # type: ignore[arg-type]


async def decode(message: KafkaMessage) -> Any:
    """Hand the raw records on as the body."""
    return message.raw_message


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
