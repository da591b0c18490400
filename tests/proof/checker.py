"""Reads PostgreSQL, the log and the mail sink after healing, and tells every broken invariant.

Knows nothing of how the faults were made: give it what the clients were told, it finds what does not agree.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from uuid import UUID

from shared.delivery.tables import column
from shared.events.topics import SERVICES, consumed_by, produced_by
from tests.proof.delays import broken_delays
from tests.proof.evidence import Evidence, History
from tests.proof.letters import wrong_mails
from tests.proof.lives import broken_lives, miscounted_acts


def violations(evidence: Evidence, history: History) -> list[str]:
    """Return every broken invariant in a line each; empty when all hold."""
    return [
        *_accepted_exist(evidence, history),
        *_sequences(evidence, history),
        *broken_lives(evidence, history),
        *miscounted_acts(evidence, history),
        *_outbox_is_log(evidence, history),
        *_owners(evidence, history),
        *broken_delays(evidence, history),
        *_everything_taken(evidence, history),
        *wrong_mails(evidence, history),
        *_counts(evidence, history),
    ]


def _accepted_exist(evidence: Evidence, history: History) -> Iterable[str]:
    held = {row["request_id"] for row in evidence.rows["intake.request"] if row["state"] is not None} - history.forged
    for request_id in history.accepted - held:
        yield f"1 lost: {request_id} was answered 2xx and is not in intake"
    if len(held - history.accepted) > history.unknown:
        yield f"1 ghosts: {len(held - history.accepted)} requests nobody was told of, {history.unknown} outcomes unknown"


def _sequences(evidence: Evidence, history: History) -> Iterable[str]:
    seen: dict[tuple[str, UUID], set[int]] = defaultdict(set)
    for one in evidence.log:
        seen[one.topic, one.request_id].add(one.sequence)
    for (topic, request_id), numbers in seen.items():
        if numbers != set(range(1, max(numbers) + 1)) and request_id not in history.forged:
            yield f"2 gap: {topic} {request_id} has {sorted(numbers)}"


def _outbox_is_log(evidence: Evidence, history: History) -> Iterable[str]:
    logged = {(one.topic, one.request_id, one.sequence) for one in evidence.log if one.request_id not in history.forged}
    kept: set[tuple[str, UUID, int]] = set()
    for service in SERVICES:
        for row in evidence.rows[f"{service}.outbox"]:
            if row["published_at"] is None:
                yield f"3 pending: {service} still has {row['topic']} {row['request_id']} to publish"
            if row["sequence"] is not None and row["request_id"] not in history.forged:
                kept.add((row["topic"], row["request_id"], row["sequence"]))
    yield from (f"3 not published: {one}" for one in kept - logged)
    yield from (f"3 never committed: {one}" for one in logged - kept)


def _owners(evidence: Evidence, history: History) -> Iterable[str]:
    owned = Counter(row["request_id"] for row in evidence.rows["assignment"])
    for request_id in history.accepted:
        if owned[request_id] != 1:
            yield f"4 owner: {request_id} has {owned[request_id]} rows of assignment"
    for row in evidence.rows["assignment"]:
        closed = row["status"] in ("resolved", "withdrawn", "erased")
        if closed != (row["service"] is None):
            yield f"4 owner: {row['request_id']} is {row['status']} and owned by {row['service']}"


def _everything_taken(evidence: Evidence, history: History) -> Iterable[str]:
    last: dict[tuple[str, UUID], int] = defaultdict(int)
    for one in evidence.log:
        last[one.topic, one.request_id] = max(last[one.topic, one.request_id], one.sequence)
    for service in SERVICES:
        parked = {row["request_id"] for row in evidence.rows[f"{service}.parked"]}
        known = {row["request_id"]: row for row in evidence.rows[f"{service}.request"]}
        for topic in consumed_by(service):
            if not topic.sequenced:
                continue
            for (name, request_id), sequence in last.items():
                if name != topic.name or request_id in parked or request_id in history.forged:
                    continue
                seen = known[request_id][f"seen_{column(name)}"] if request_id in known else 0
                if seen != sequence:
                    yield f"7 not taken: {service} saw {name} {request_id} up to {seen}, the log has {sequence}"
        for topic in produced_by(service):
            for row in known.values():
                if (
                    row["request_id"] not in history.forged
                    and row[f"sent_{column(topic.name)}"] != last[topic.name, row["request_id"]]
                ):
                    yield f"7 not told: {service} sent {topic.name} {row['request_id']} {row[f'sent_{column(topic.name)}']} times"


def _counts(evidence: Evidence, history: History) -> Iterable[str]:
    counted = sum(row["amount"] for row in evidence.rows["cell"] if row["measure"] == "received")
    received = {one.request_id for one in evidence.log if one.topic == "requests.v1" and "promise" in one.data}
    taken = {row["request_id"] for row in evidence.rows["stats.request"] if row["state"] is not None}
    expected = len(received - history.forged) + len(history.forged & taken)
    if counted != expected:
        yield f"10 counts: statistics say {counted} received, the log {expected}"
