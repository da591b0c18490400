"""How a service subscribes to its topics: every setting here has cost somebody messages, latency or a core."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

CATCH_UP_RECORDS = 4000
METADATA_SECONDS = 10
"""Topics that were gone for a moment (a log made anew) take the member's partitions away until it asks for them again."""


Handler = Callable[[tuple[ConsumerRecord, ...]], Awaitable[None]]


def subscribe(bootstrap: str, topics: Sequence[str], handler: Handler, *, group: str, member: str) -> tuple[KafkaBroker, Any]:
    """Return a broker, and its subscriber that hands batches of these topics to the handler, as a static member of a group.

    Any: FastStream types a subscriber by a base class of no broker.
    """
    # Topics come from their declaration: FastStream would create what is missing, with one partition.
    broker = KafkaBroker(
        bootstrap,
        apply_types=False,
        logger=None,
        consumer_only=True,  # a producer and an admin client that nobody uses would have to be ended, too
        allow_auto_create_topics=False,
        metadata_max_age_ms=METADATA_SECONDS * 1000,
    )
    subscriber = broker.subscriber(
        *topics,
        batch=True,
        group_id=group,
        group_instance_id=member,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        partition_assignment_strategy=(RangePartitionAssignor,),
        batch_timeout_ms=10,  # until the prefetch stands before it
        max_records=CATCH_UP_RECORDS,
        fetch_max_wait_ms=500,  # costs no latency: see the prefetch
        session_timeout_ms=10_000,
        heartbeat_interval_ms=3_000,
        max_poll_interval_ms=300_000,
        parser=parse,
        decoder=decode,
    )
    subscriber(handler)
    return broker, subscriber


async def parse(records: Sequence[ConsumerRecord]) -> KafkaMessage:
    """Wrap raw records without looking at them: a header that is not UTF-8 must reach the shell, not an exception."""
    return KafkaMessage(body=b"", raw_message=tuple(records), headers={}, message_id="batch", consumer=None)  # type: ignore[arg-type]


async def decode(message: KafkaMessage) -> Any:
    """Hand the raw records on as the body."""
    return message.raw_message
