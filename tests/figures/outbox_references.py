"""The references of P7: the bare relay, and the naive one, row by row, which looks for new rows once a second."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from aiokafka import AIOKafkaProducer

from shared.delivery.relay import SET

POLL_SECONDS = 1.0
_TAKE = "SELECT id, topic, key, sequence, type, at, value FROM router.outbox WHERE published_at IS NULL ORDER BY id LIMIT $1"
_MARK = "UPDATE router.outbox SET published_at = now() WHERE id = ANY($1::bigint[])"


async def drain_bare(bootstrap: str, dsn: str, _admin: asyncpg.Connection) -> None:
    """Publish all that waits: the same statements, sets and headers as ours; no lock, no watch, no second try."""
    async with _open(bootstrap, dsn) as (connection, producer):
        while rows := await connection.fetch(_TAKE, SET):
            await _publish(connection, producer, rows)


async def drain_naive(bootstrap: str, dsn: str, _admin: asyncpg.Connection) -> None:
    """Publish all that waits row by row: each is marked before the next is sent."""
    async with _open(bootstrap, dsn) as (connection, producer):
        while rows := await connection.fetch(_TAKE, SET):
            for row in rows:
                await _publish(connection, producer, [row])


async def poll(bootstrap: str, dsn: str, acknowledged: dict[bytes, float]) -> None:
    """Publish what waits once a second, for ever; note when the broker had each key."""
    async with _open(bootstrap, dsn) as (connection, producer):
        while True:
            while rows := await connection.fetch(_TAKE, SET):
                await _publish(connection, producer, rows)
                now = time.perf_counter()
                for row in rows:
                    acknowledged.setdefault(row["key"], now)
            await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def _open(bootstrap: str, dsn: str) -> AsyncIterator[tuple[asyncpg.Connection, AIOKafkaProducer]]:
    connection = await asyncpg.connect(dsn)
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=0, max_batch_size=262_144
    )
    await producer.start()
    try:
        yield connection, producer
    finally:
        await producer.stop()
        await connection.close()


async def _publish(connection: asyncpg.Connection, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> None:
    sent = []
    for row in rows:
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_type", row["type"].encode()),
            ("ce_source", b"/aiguilleur/router"),
            ("ce_id", b"%d" % row["id"]),
            ("ce_time", row["at"].isoformat().encode()),
            ("ce_sequence", b"%d" % row["sequence"]),
            ("content-type", b"application/json"),
        ]
        sent.append(await producer.send(row["topic"], row["value"], key=row["key"], headers=headers))
    await asyncio.gather(*sent)
    await connection.execute(_MARK, [row["id"] for row in rows])
