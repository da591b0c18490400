"""Is the log ahead of the database? It is when PostgreSQL was restored to an earlier time while Kafka went on.

An event of ours is committed before it is published. So whatever the log holds of a service's own events, its database has
counted; if it has not, it is an older one. Events of a topic are published about in the order of their commits, so the last
ones of each partition tell. Other people's records in our topics do not: they lack what our relay writes.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from asyncpg import Pool

from shared.db.pool import Connection
from shared.delivery.log_reader import LogReader
from shared.delivery.tables import column
from shared.events.topics import produced_by

TAIL = 100
"""Records looked at per partition: more than can be out of the order of their commits in one set of the relay."""
LOOK_SECONDS = 30.0


class Name(NamedTuple):
    """An event of ours."""

    request_id: UUID
    topic: str
    sequence: int


def name_of(service: str, topic: str, headers: Mapping[str, bytes]) -> Name | None:
    """Return which event of the service a record says it is; None when it was not published by the service's relay."""
    if headers.get("ce_source") != f"/aiguilleur/{service}".encode() or "ce_seen" not in headers:
        return None
    request_id, _, rest = headers.get("ce_id", b"").decode(errors="replace").partition(".")
    told, _, sequence = rest.rpartition(".")
    try:
        return Name(UUID(request_id), told, int(sequence)) if told == topic else None
    except ValueError:
        return None


async def find_ahead(database: "Pool | Connection", bootstrap: str, service: str) -> Name | None:
    """Return an event of the service that the log has and its database does not know; None: the log is not ahead.

    Raises:
        KafkaError, OSError, TimeoutError: Kafka does not answer; or what asyncpg raises.
    """
    if not (topics := produced_by(service)):
        return None
    names: list[Name] = []
    async with asyncio.timeout(LOOK_SECONDS), LogReader(bootstrap, topics) as reader:
        bounds = await reader.find_bounds(existing_only=True)
        tails = {place: (max(begin, end - TAIL), end) for place, (begin, end) in bounds.items()}
        async for raw in reader.read(tails, lambda _done, _all: None):
            if (name := name_of(service, raw.topic, dict(raw.headers))) is not None:
                names.append(name)
    return next(iter(await find_unknown(database, service, names)), None)


async def find_unknown(database: "Pool | Connection", service: str, names: Iterable[Name]) -> set[Name]:
    """Return those of the service's own events that its database has not counted as sent."""
    unknown: set[Name] = set()
    by_topic: dict[str, list[Name]] = {}
    for name in names:
        by_topic.setdefault(name.topic, []).append(name)
    for topic, mine in by_topic.items():
        rows = await database.fetch(
            f"SELECT told.request_id, told.sequence FROM unnest($1::uuid[], $2::int[]) AS told (request_id, sequence) "  # noqa: S608
            f"LEFT JOIN {service}.request USING (request_id) WHERE coalesce(sent_{column(topic)}, 0) < told.sequence",
            [name.request_id for name in mine],
            [name.sequence for name in mine],
        )
        unknown |= {Name(row[0], topic, row[1]) for row in rows}
    return unknown
