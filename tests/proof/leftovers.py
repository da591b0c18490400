"""What may not be left at rest: invariant 13, but for outbox rows and letters, which their own files look at."""

from collections.abc import Iterable

from shared.events.topics import SERVICES
from tests.proof.evidence import Evidence, History

LONGEST_OPEN_SECONDS = 5.0


def leftovers(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each halted consumer, each deadline past its instant, each transaction that stays open, each wait for a lock."""
    for service in SERVICES:
        for row in evidence.rows[f"{service}.halt"]:
            yield f"13 halted: {service} {row['instance']}: {row['why']}"
    for row in evidence.rows["sla.deadline"]:
        if history.checked_at is not None and row["due_at"] <= history.checked_at and row["request_id"] not in history.forged:
            yield f"13 pending: {row['what']} of {row['request_id']} {row['promise']} was due at {row['due_at']}"
    for row in evidence.rows.get("pg.session", ()):
        if row["open_seconds"] < LONGEST_OPEN_SECONDS:
            continue
        if row["waits"]:
            yield f"13 lock: {row['application'] or row['pid']} waits for a lock, for {row['open_seconds']:.0f} s"
        elif str(row["state"]).startswith("idle in transaction"):
            yield f"13 idle: a transaction of {row['application'] or row['pid']} is idle, for {row['open_seconds']:.0f} s"
