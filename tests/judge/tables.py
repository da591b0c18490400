"""The tables that the checker looks at."""

from collections.abc import Mapping
from typing import Final

from shared.delivery.tables import column
from shared.events.topics import SERVICES, consumed_by, produced_by


def _counters(service: str) -> tuple[str, ...]:
    seen = (f"seen_{column(topic.name)}" for topic in consumed_by(service) if topic.sequenced)
    return (*seen, *(f"sent_{column(topic.name)}" for topic in produced_by(service)))


TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    **{f"{one}.request": ("request_id", "held", "state", *_counters(one)) for one in SERVICES},
    **{f"{one}.outbox": ("request_id", "topic", "sequence", "type", "value", "created_at", "published_at") for one in SERVICES},
    **{
        f"{one}.parked": (
            *("request_id", "topic", "partition", "offset", "sequence"),
            *("why", "parked_at", "resolved_at", "resolution"),
        )
        for one in SERVICES
    },
    **{f"{one}.position": ("topic", "partition", "next_offset") for one in SERVICES},
    **{f"{one}.inbox": ("source", "id") for one in SERVICES},
    **{f"{one}.halt": ("instance", "why") for one in SERVICES},
    "intake.tracking": ("request_id", "reference", "status"),
    "router.assignment": ("request_id", "service", "status", "version", "due_at"),
    "sla.deadline": ("request_id", "promise", "what", "due_at"),
    "notifier.letter": ("request_id", "name"),
    "stats.cell": ("authority", "day", "service", "channel", "category", "measure", "amount"),
    "stats.duration": ("authority", "day", "service", "channel", "measure", "minutes", "amount"),
    "vault.request_key": ("request_id",),
}
"""Every table that is looked at, with the columns that are. All have to be there; a row may have more columns."""
