"""What may not be left at rest: invariant 13, but for outbox rows and letters, which their own files look at."""

from collections.abc import Iterable

from shared.events.topics import SERVICES
from tests.judge.evidence import Evidence, History


def leftovers(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each halted consumer, each deadline past its instant, each transaction that stays open, each wait for a lock."""
    for service in SERVICES:
        for row in evidence.rows[f"{service}.halt"]:
            yield f"13 halted: {service} {row['instance']}: {row['why']}"
    for row in evidence.rows["sla.deadline"]:
        if history.checked_at is not None and row["due_at"] <= history.checked_at and row["request_id"] not in history.forged:
            yield f"13 pending: {row['what']} of {row['request_id']} {row['promise']} was due at {row['due_at']}"
    for row in evidence.rows.get("pg.session", ()):
        who, since = row["application"] or row["pid"], f"its transaction has been open for {row['open_seconds']:.0f} s"
        yield f"13 lock: {who} waits for a lock, {since}" if row["waits"] else f"13 idle: {who} is idle, {since}"
