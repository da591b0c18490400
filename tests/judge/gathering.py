"""Reads the evidence from a real town: PostgreSQL, the log, the mail sink."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.town import ORGANISATION
from shared.events.envelope import Undecodable, decode
from shared.events.topics import TOPICS
from shared.organisation import load
from tests.judge.evidence import Asked, Evidence, Mail, Place, Record, Row, Written
from tests.judge.tables import TABLES
from tests.judge.writings import DEAD_LETTERS, in_record, in_tables

AGAIN_SECONDS = 5.0
"""A transaction that is under way at one look at the sessions is over by the next, unless it was left open."""
_SESSIONS = """SELECT pid, xact_start, application_name AS application, wait_event_type = 'Lock' AS waits,
        extract(epoch FROM clock_timestamp() - xact_start)::float8 AS open_seconds
    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        AND xact_start IS NOT NULL AND (wait_event_type = 'Lock' OR state LIKE 'idle in transaction%')"""


async def gather(
    kafka: str,
    admin_dsn: str,
    mails: Iterable[Mapping[str, Any]],
    *,
    logs: Iterable[Written] = (),
    organisation: Path = ORGANISATION,
) -> Evidence:
    """Read the whole log with its dead letters, the tables, and what the sink has. `logs`: what services wrote into files."""
    written = list(logs)
    rows: dict[str, list[Row]] = {}
    database = await asyncpg.connect(admin_dsn)
    try:
        for table in TABLES:
            order = "ORDER BY id" if table.endswith((".outbox", ".parked")) else ""
            rows[table] = [dict(row) for row in await database.fetch(f"SELECT * FROM {table} {order}")]
        written += await in_tables(database, but=TABLES)
        rows["pg.session"] = await left_open(database)
    finally:
        await database.close()
    evidence = Evidence([], rows, [_mail(one) for one in mails])
    evidence.authorities = {code: (authority,) for code, authority in load(organisation).authorities.items()}
    ends: dict[Place, int] = {}
    async for _, raw in _read_log(kafka, dict.fromkeys(DEAD_LETTERS, 1)):
        written += in_record(raw)
    async for place, raw in _read_log(kafka, {topic.name: topic.partitions for topic in TOPICS}):
        written += in_record(raw)
        ends[place] = raw.offset + 1
        match _decoded(raw):
            case Record() as record:
                evidence.log.append(record)
            case Asked() as asked:
                evidence.asked.append(asked)
            case None:
                pass  # garbage that the test itself wrote
    evidence.ends, evidence.written = ends, written
    return evidence


async def left_open(database: asyncpg.Connection) -> list[Row]:
    """Return the sessions that wait for a lock, or are idle, in a transaction in which they already did so 5 s before."""
    before = {(row["pid"], row["xact_start"]) for row in await database.fetch(_SESSIONS)}
    if not before:
        return []
    await asyncio.sleep(AGAIN_SECONDS)
    return [dict(row) for row in await database.fetch(_SESSIONS) if (row["pid"], row["xact_start"]) in before]


def _mail(summary: Mapping[str, Any]) -> Mail:
    return Mail(summary["message_id"], datetime.fromisoformat(summary["received_at"]))


async def _read_log(kafka: str, topics: Mapping[str, int]) -> AsyncIterator[tuple[Place, Any]]:  # Any: a record of aiokafka
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest")
    places = [TopicPartition(topic, number) for topic, partitions in topics.items() for number in range(partitions)]
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        for place in places:  # not seek_to_beginning right after assign: it can give nothing, silently
            consumer.seek(place, 0)
        left = {place for place in places if ends[place] > 0}
        while left:
            for place, batch in (await consumer.getmany(timeout_ms=500, max_records=5000)).items():
                for raw in batch:
                    yield (place.topic, place.partition), raw
                if batch[-1].offset + 1 >= ends[place]:
                    left.discard(place)
    finally:
        await consumer.stop()


def _decoded(raw: Any) -> Record | Asked | None:  # Any: as above
    """Return a record as its readers take it; None when it is no event for them."""
    headers = dict(raw.headers)
    try:
        received = decode(raw.topic, headers, raw.value)
    except Undecodable:
        return None
    if received.sequence is None:
        return Asked(raw.topic, raw.partition, raw.offset, received.source, received.id)
    event: Any = received.event
    if raw.topic != "queues.v1" and raw.key != str(event.request_id).encode():
        return None
    data = msgspec.json.decode(raw.value)
    return Record(raw.topic, event.request_id, received.sequence, event.type_, data, raw.value, event)
