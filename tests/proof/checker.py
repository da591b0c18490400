"""Reads PostgreSQL, the log and the mail sink after healing, and tells every broken invariant.

Knows nothing of how the faults were made: give it what the client was told, it finds what does not agree.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.delivery.tables import column
from shared.events.topics import SERVICES, TOPICS, consumed_by, produced_by

LETTERS_OF_ALL = (("receipt", "usager"), ("assignment", "service"))
"""The mails that every accepted request leads to."""


@dataclass
class History:
    """What the client knows: requests answered 2xx by id; how many outcomes are unknown."""

    accepted: set[UUID] = field(default_factory=set)
    unknown: int = 0
    forged: set[UUID] = field(default_factory=set)
    """Requests that the test wrote into the log itself: intake never took them."""


@dataclass(frozen=True)
class Record:
    """An event of the log."""

    topic: str
    request_id: UUID
    sequence: int
    type: str
    data: dict[str, Any]


@dataclass
class Evidence:
    """All that is looked at."""

    log: list[Record]
    rows: dict[str, list[asyncpg.Record]]
    message_ids: Counter[str]


async def gather(kafka: str, admin_dsn: str, mails: Iterable[Mapping[str, Any]]) -> Evidence:
    """Read the whole log, the tables that matter, and the Message-IDs of the sink."""
    database = await asyncpg.connect(admin_dsn)
    try:
        rows = {"assignment": await database.fetch("SELECT * FROM router.assignment")}
        for service in SERVICES:
            rows[f"{service}.request"] = await database.fetch(f"SELECT * FROM {service}.request")
            rows[f"{service}.outbox"] = await database.fetch(f"SELECT * FROM {service}.outbox ORDER BY id")
            rows[f"{service}.parked"] = await database.fetch(f"SELECT * FROM {service}.parked WHERE resolved_at IS NULL")
        rows["cell"] = await database.fetch("SELECT * FROM stats.cell")
    finally:
        await database.close()
    return Evidence(await _read_log(kafka), rows, Counter(mail["message_id"] for mail in mails))


async def _read_log(kafka: str) -> list[Record]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest")
    places = [TopicPartition(topic.name, number) for topic in TOPICS if topic.sequenced for number in range(topic.partitions)]
    await consumer.start()
    records: list[Record] = []
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        for place in places:  # not seek_to_beginning right after assign: it can give nothing, silently
            consumer.seek(place, 0)
        left = {place for place in places if ends[place] > 0}
        while left:
            for place, batch in (await consumer.getmany(timeout_ms=500, max_records=5000)).items():
                records += [one for one in map(_decoded, batch) if one is not None]
                if batch[-1].offset + 1 >= ends[place]:
                    left.discard(place)
    finally:
        await consumer.stop()
    return records


def _decoded(raw: Any) -> Record | None:
    headers = {name: value.decode(errors="replace") for name, value in raw.headers}
    try:
        data = msgspec.json.decode(raw.value)
        return Record(raw.topic, UUID(data["request_id"]), int(headers["ce_sequence"]), headers["ce_type"], data)
    except (KeyError, ValueError, TypeError, msgspec.DecodeError):
        return None  # garbage that the test itself wrote


def violations(evidence: Evidence, history: History) -> list[str]:
    """Return every broken invariant in a line each; empty when all hold."""
    return [
        *_accepted_exist(evidence, history),
        *_sequences(evidence, history),
        *_outbox_is_log(evidence, history),
        *_owners(evidence, history),
        *_escalations(evidence),
        *_everything_taken(evidence, history),
        *_mails(evidence, history),
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
    versions: dict[UUID, dict[int, int]] = defaultdict(dict)
    for one in evidence.log:
        if one.topic == "handling.v1" and not one.type.endswith("command_refused.v1"):
            versions[one.request_id][one.sequence] = one.data["version"]
    for request_id, by_sequence in versions.items():
        ordered = [by_sequence[number] for number in sorted(by_sequence)]
        if any(later <= sooner for sooner, later in pairwise(ordered)):
            yield f"2 versions: the life of {request_id} goes {ordered}"


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


def _escalations(evidence: Evidence) -> Iterable[str]:
    raised = Counter(
        (one.request_id, one.data["promise"], one.data["level"])
        for one in {(one.request_id, one.sequence): one for one in evidence.log if one.topic == "escalations.v1"}.values()
        if "level" in one.data
    )
    yield from (f"5 escalated {count} times: {key}" for key, count in raised.items() if count > 1)


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


def _mails(evidence: Evidence, history: History) -> Iterable[str]:
    told: dict[UUID, set[tuple[str, str]]] = defaultdict(set)
    for one in evidence.log:
        if one.topic == "notifications.v1":
            told[one.request_id].add((one.data["kind"], one.data["recipient"]))
    for request_id in history.accepted:
        for letter in LETTERS_OF_ALL:
            if letter not in told[request_id]:
                yield f"9 no mail: {letter} of {request_id} was neither sent nor failed"
    sent = {
        (one.request_id, one.data["letter"])
        for one in evidence.log
        if one.topic == "notifications.v1" and one.type.endswith("notification.sent.v1")
    }
    if len(evidence.message_ids) < len(sent):
        yield f"9 lost mail: {len(sent)} letters are said to be sent, the sink has {len(evidence.message_ids)}"


def _counts(evidence: Evidence, history: History) -> Iterable[str]:
    counted = sum(row["amount"] for row in evidence.rows["cell"] if row["measure"] == "received")
    received = {one.request_id for one in evidence.log if one.topic == "requests.v1" and "promise" in one.data}
    taken = {row["request_id"] for row in evidence.rows["stats.request"] if row["state"] is not None}
    expected = len(received - history.forged) + len(history.forged & taken)
    if counted != expected:
        yield f"10 counts: statistics say {counted} received, the log {expected}"


def duplicated_mails(evidence: Evidence) -> int:
    """Return how many mails came more than once."""
    return sum(count - 1 for count in evidence.message_ids.values())
