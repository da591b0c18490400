"""P7: from the commit to the broker's acknowledgement, and the drain of a backlog beside a bare relay, alternating."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaProducer

from deploy.local import address
from shared.db.pool import open_pool
from shared.delivery.producer import Producer, Publishable
from shared.delivery.relay import SET, Relay
from shared.events.broker import create_topics
from tests.proof.database import migrated
from tests.proof.latency import percentile
from tests.proof.options import Options
from tests.proof.report import Figure, median

_INSERT = """INSERT INTO router.outbox (request_id, topic, key, sequence, type, at, value)
    SELECT gen_random_uuid(), 'handling.v1', convert_to($1 || n::text, 'UTF8'), 1, 'fr.aiguilleur.handling.assigned.v1', now(),
           convert_to(repeat('x', 300), 'UTF8')
    FROM generate_series(1, $2) AS n"""
_TAKE = "SELECT id, topic, key, sequence, type, at, value FROM router.outbox WHERE published_at IS NULL ORDER BY id LIMIT $1"
_MARK = "UPDATE router.outbox SET published_at = now() WHERE id = ANY($1::bigint[])"
_ONE = 1
Drain = Callable[[str, str, asyncpg.Connection], Awaitable[None]]


class _Watched(Producer):
    """The relay's producer, which tells when records were acknowledged."""

    acknowledged: dict[bytes, float]

    async def send(self, records: Sequence[Publishable]) -> None:
        await super().send(records)
        now = time.perf_counter()
        for _, key, _, _ in records:
            self.acknowledged.setdefault(key or b"", now)


async def drain_ours(bootstrap: str, dsn: str, admin: asyncpg.Connection) -> None:
    """Let the relay as shipped publish all that waits."""
    pool = await open_pool(dsn, name="ours")
    producer = Producer(bootstrap, client_id="ours")
    serving = asyncio.create_task(Relay("router", dsn=dsn, pool=pool, producer=producer).serve())
    while await admin.fetchval("SELECT EXISTS (SELECT FROM router.outbox WHERE published_at IS NULL)"):
        await asyncio.sleep(0.02)
    serving.cancel()
    await producer.close()
    await pool.close()


async def drain_bare(bootstrap: str, dsn: str, _admin: asyncpg.Connection) -> None:
    """Publish all that waits: the same statements, sets and headers, no lock, no watch, no second try."""
    connection = await asyncpg.connect(dsn)
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=0, max_batch_size=262_144
    )
    await producer.start()
    while rows := await connection.fetch(_TAKE, SET):
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
    await producer.stop()
    await connection.close()


async def _latencies(bootstrap: str, dsn: str, *, rate: int, seconds: float) -> list[float]:
    """Commit rows at a rate, one a transaction, and return the milliseconds until the broker had acknowledged each."""
    pool = await open_pool(dsn, name="ours")
    producer = _Watched(bootstrap, client_id="ours")
    producer.acknowledged = {}
    relay = Relay("router", dsn=dsn, pool=pool, producer=producer)
    serving = asyncio.create_task(relay.serve())
    committed: dict[bytes, float] = {}
    numbers = iter(range(int(rate * seconds)))
    mark = secrets.token_hex(4)
    started = time.perf_counter() + 0.5

    async def commit() -> None:
        for number in numbers:
            due = started + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            name = f"{mark}-{number}-"
            await pool.execute(_INSERT, name, _ONE)
            committed[f"{name}1".encode()] = time.perf_counter()
            relay.wake()

    await asyncio.gather(*(commit() for _ in range(6)))
    async with asyncio.timeout(30):
        while committed.keys() - producer.acknowledged.keys():
            await asyncio.sleep(0.01)
    serving.cancel()
    await producer.close()
    await pool.close()
    took = [max(0.0, producer.acknowledged[name] - at) * 1000 for name, at in committed.items()]
    return sorted(took)


async def measure(folder: Path, *, rounds: int, backlog: int, seconds: float) -> list[Figure]:
    """Return P7's figures."""
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    waits: dict[str, list[float]] = {}
    with address.kafka(folder / "kafka") as bootstrap, address.postgres(folder / "postgres") as admin_dsn:
        dsns = await migrated(admin_dsn)
        await create_topics(bootstrap)
        admin = await asyncpg.connect(admin_dsn)
        ways: dict[str, Drain] = {"ours": drain_ours, "bare": drain_bare}
        for number in range(rounds + 1):  # the first one warms up
            for name, drain in ways.items():
                await admin.execute("TRUNCATE router.outbox")
                await admin.execute(_INSERT, f"{name}{number}-", backlog)
                await admin.execute("VACUUM ANALYZE router.outbox")
                await admin.execute("CHECKPOINT")
                started = time.perf_counter()
                await drain(bootstrap, dsns["router"], admin)
                if number:
                    rates[name].append(backlog / (time.perf_counter() - started))
                    print(f"  round {number} {name}: {rates[name][-1]:,.0f} rows/s", flush=True)
        await admin.execute("TRUNCATE router.outbox")
        await _latencies(bootstrap, dsns["router"], rate=100, seconds=1)
        for number in range(rounds):
            for rate in (200, 1000):
                took = await _latencies(bootstrap, dsns["router"], rate=rate, seconds=seconds)
                for share in (0.5, 0.99):
                    waits.setdefault(f"{rate}/s p{share * 100:.0f}", []).append(percentile(took, share))
                print(f"  round {number + 1} {rate}/s: {percentile(took, 0.5):.1f}, {percentile(took, 0.99):.1f} ms", flush=True)
        await admin.close()
    return _figures(rates, waits)


def _figures(rates: dict[str, list[float]], waits: dict[str, list[float]]) -> list[Figure]:
    ratio, p99 = median(rates["ours"]) / median(rates["bare"]), median(waits["1000/s p99"])
    return [
        Figure("P7", "outbox, drain of a backlog, ours / bare relay", ratio, ">= 0.6", ratio >= 0.6, rates),
        Figure("P7", "outbox, commit to acknowledgement, p99 in ms at 1,000/s", p99, "<= 15", p99 <= 15, waits),
    ]


async def prove(options: Options) -> list[Figure]:
    """P7, by `python -m tests.proof outbox`."""
    if options.short:
        return await measure(options.folder, rounds=1, backlog=10_000, seconds=2)
    return await measure(options.folder, rounds=3, backlog=40_000, seconds=6)
