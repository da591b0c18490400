"""Creates the topics on the broker from their declaration."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

from shared.events.topics import TOPICS, dead_letters

_MILLISECONDS_A_DAY = 86_400_000
_ALREADY_THERE = 36


def wanted_topics(*, replication: int) -> list[NewTopic]:
    """Return every topic, and the dead-letter topics of its readers, as the broker shall hold them."""
    wanted = []
    for topic in TOPICS:
        settings = {
            "retention.ms": str(topic.retention_days * _MILLISECONDS_A_DAY),
            "cleanup.policy": "delete",
            "compression.type": "uncompressed",  # the broker unpacks: what an adapter packed with zstd we could not read
        }
        wanted.append(NewTopic(topic.name, topic.partitions, replication, topic_configs=settings))
        readers = [reader for reader in topic.consumers if reader.isidentifier()]
        wanted += [NewTopic(dead_letters(topic, reader), 1, replication, topic_configs=settings) for reader in readers]
    return wanted


async def create_topics(bootstrap: str, *, replication: int = 1) -> list[str]:
    """Create the topics that are missing; return their names.

    Raises:
        KafkaError: the broker refused one, with its reason (`create_topics` itself does not raise on a refusal).
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=30_000)
    try:
        await admin.start()
        answer = await admin.create_topics(wanted_topics(replication=replication))
        created = []
        for name, code, *text in answer.topic_errors:
            if code == 0:
                created.append(name)
            elif code != _ALREADY_THERE:
                raise for_code(code)(f"topic {name}: {text}")
        return created
    finally:
        await admin.close()
