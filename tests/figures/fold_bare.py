"""The reference of P3: what a careful programmer writes for this one job, without a framework.

aiokafka `getmany`, decode, the same writes (state, sequences, owner, three outgoing records, position), one statement a
batch. No guard per event, no gap, no parked record, no second topic.
"""

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord

from shared.db.pool import open_pool

_STATES = """INSERT INTO router.request
    (request_id, authority, revision, held, state, seen_requests_v1, sent_handling_v1, sent_queues_v1)
    SELECT id, authority, 1, false, state, 1, 2, 1 FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS t(id, authority, state)"""
_OWNERS = """INSERT INTO router.assignment
    (request_id, authority, reference, service, status, reason, version, due_at, changed_at)
    SELECT id, authority, reference, service, 'assigned', 'chosen', 2, due_at::timestamptz, now()
    FROM unnest($1::uuid[], $2::text[], $4::text[], $5::text[], $6::text[]) AS t(id, authority, reference, service, due_at)"""
_OUTBOX = """INSERT INTO router.outbox (request_id, topic, key, sequence, type, at, value)
    SELECT i, t, k, s, y, a::timestamptz, v
    FROM unnest($7::uuid[],
                $8::text[], $9::bytea[], $10::int[], $11::text[], $12::text[], $13::bytea[]) AS o(i, t, k, s, y, a, v)"""
_POSITION = """INSERT INTO router.position (topic, partition, next_offset)
    SELECT 'requests.v1', * FROM unnest($14::int[], $15::bigint[])
    ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset"""
WRITE = f"WITH a AS ({_STATES}), b AS ({_OWNERS}), c AS ({_OUTBOX}) {_POSITION}"


class _Received(msgspec.Struct):
    request_id: str
    authority: str
    at: str
    reference: str
    channel: str
    service: str
    category: str | None
    promise: dict[str, str | int]
    sealed: str


_decode = msgspec.json.Decoder(_Received).decode
_encode = msgspec.json.encode


def _outgoing(one: _Received) -> list[tuple[object, ...]]:
    base: dict[str, object] = {"request_id": one.request_id, "authority": one.authority, "at": one.at}
    registered = base | {"version": 1, "status": "registered", "service": None, "reference": one.reference}
    registered |= {"channel": one.channel, "category": one.category}
    assigned = base | {"version": 2, "status": "assigned", "service": one.service, "reason": "chosen", "asked": one.service}
    queued = base | {"service": one.service, "reference": one.reference, "category": one.category, "reason": "chosen"}
    queued |= {"due_at": one.promise["due_at"]}
    told = [
        ("handling.v1", registered, 1, "fr.aiguilleur.handling.registered.v1"),
        ("handling.v1", assigned, 2, "fr.aiguilleur.handling.assigned.v1"),
        ("queues.v1", queued, 1, "fr.aiguilleur.queue.entered.v1"),
    ]
    return [
        (one.request_id, topic, one.request_id.encode(), sequence, kind, one.at, _encode(value))
        for topic, value, sequence, kind in told
    ]


def _arguments(batch: dict[int, list[ConsumerRecord]]) -> list[list[object]]:
    decoded = [_decode(record.value) for records in batch.values() for record in records]
    outbox = [row for one in decoded for row in _outgoing(one)]
    states: list[object] = [
        _encode({"reference": one.reference, "sealed": one.sealed, "service": one.service, "v": 2}) for one in decoded
    ]
    return [
        [one.request_id for one in decoded],
        [one.authority for one in decoded],
        states,
        [one.reference for one in decoded],
        [one.service for one in decoded],
        [str(one.promise["due_at"]) for one in decoded],
        *[list(column) for column in zip(*outbox, strict=True)],
        list(batch),
        [records[-1].offset + 1 for records in batch.values()],
    ]


async def fold_bare(bootstrap: str, dsn: str, count: int, group: str) -> None:
    """Take `count` records, then return."""
    pool = await open_pool(dsn, name="bare")
    consumer = AIOKafkaConsumer(
        "requests.v1",
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    try:
        left = count
        while left > 0:
            fetched = await consumer.getmany(timeout_ms=200, max_records=2000)
            batch = {place.partition: records for place, records in fetched.items()}
            if batch:
                async with pool.acquire() as connection, connection.transaction():
                    await connection.execute("SELECT next_offset FROM router.position FOR UPDATE")
                    await connection.execute(WRITE, *_arguments(batch))
                left -= sum(len(records) for records in batch.values())
    finally:
        await consumer.stop()
        await pool.close()
