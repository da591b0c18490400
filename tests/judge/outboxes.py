"""What was committed and what was published: invariant 3, and of 13 that nothing waits to be published."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from shared.events.topics import SERVICES
from tests.judge.evidence import Evidence, History, Record

Name: TypeAlias = tuple[str, UUID, int]
"""An event, by its topic, its request and its sequence."""


def wrong_publications(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each committed row that is not in the log or says something else there, and each event that nobody committed.

    The outboxes must still have their whole archive. What was committed of a forged request has to be in the log, too.
    """
    logged = {(one.topic, one.request_id, one.sequence): one for one in evidence.log}
    kept: set[Name] = set()
    for service in SERVICES:
        for row in evidence.rows[f"{service}.outbox"]:
            if row["published_at"] is None:
                yield f"13 pending: {service} still has {row['topic']} {row['request_id']} {row['sequence']} to publish"
            if row["sequence"] is None:
                continue
            name = (row["topic"], row["request_id"], row["sequence"])
            if name in kept:
                yield f"3 numbered twice: {service} has two rows {name}"
            kept.add(name)
            if name in logged and not _same(logged[name], bytes(row["value"])):
                yield f"3 altered: {name} says something else in the log than in the outbox of {service}"
    yield from (f"3 not published: {one}" for one in kept - logged.keys())
    yield from (f"3 never committed: {one}" for one in logged.keys() - kept if one[1] not in history.forged)


def committed_at(evidence: Evidence) -> dict[Name, datetime]:
    """Return when the transaction of each event began, or, in the simulation, when it was committed."""
    return {
        (row["topic"], row["request_id"], row["sequence"]): row["created_at"]
        for service in SERVICES
        for row in evidence.rows[f"{service}.outbox"]
        if row["sequence"] is not None
    }


def _same(record: Record, value: bytes) -> bool:
    return record.value == value if record.value else bool(record.data == msgspec.json.decode(value))
