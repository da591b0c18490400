"""P7: from the commit to the broker's acknowledgement, and the drain of a backlog, beside a bare and a naive relay."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import asyncpg

from deploy.local import address
from shared.db.pool import open_pool
from shared.delivery.producer import Producer, Publishable
from shared.delivery.relay import Relay
from shared.events.broker import create_topics
from tests.figures.database import migrated
from tests.figures.outbox_references import drain_bare, drain_naive, poll
from tests.figures.turns import in_turn
from tests.proof.options import Options
from tests.proof.report import Figure, median, percentile

_INSERT = """INSERT INTO router.outbox (request_id, topic, key, sequence, type, at, value)
    SELECT gen_random_uuid(), 'handling.v1', convert_to($1 || n::text, 'UTF8'), 1, 'fr.aiguilleur.handling.assigned.v1', now(),
           convert_to(repeat('x', 300), 'UTF8')
    FROM generate_series(1, $2) AS n"""
_ONE = 1
_NAIVE_SHARE = 40
"""The naive way is given a fortieth: its rate does not depend on it."""
NAIVE = "naive 200/s p50"
Drain = Callable[[str, str, asyncpg.Connection], Awaitable[None]]
Way = Callable[[str, str, dict[bytes, float]], AbstractAsyncContextManager[Callable[[], None]]]


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


@asynccontextmanager
async def _shipped(bootstrap: str, dsn: str, acknowledged: dict[bytes, float]) -> AsyncIterator[Callable[[], None]]:
    """Let the relay as shipped publish until the end of the block; gives what wakes it after a commit."""
    pool = await open_pool(dsn, name="ours")
    producer = _Watched(bootstrap, client_id="ours")
    producer.acknowledged = acknowledged
    relay = Relay("router", dsn=dsn, pool=pool, producer=producer)
    serving = asyncio.create_task(relay.serve())
    try:
        yield relay.wake
    finally:
        serving.cancel()
        await producer.close()
        await pool.close()


@asynccontextmanager
async def _polling(bootstrap: str, dsn: str, acknowledged: dict[bytes, float]) -> AsyncIterator[Callable[[], None]]:
    """The same with the naive relay, which nothing wakes."""
    serving = asyncio.create_task(poll(bootstrap, dsn, acknowledged))
    try:
        yield lambda: None
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def _latencies(bootstrap: str, dsn: str, *, rate: int, seconds: float, way: Way = _shipped) -> list[float]:
    """Commit rows at a rate, one a transaction, and return the milliseconds until the broker had acknowledged each."""
    acknowledged: dict[bytes, float] = {}
    committed: dict[bytes, float] = {}
    numbers = iter(range(int(rate * seconds)))
    mark = secrets.token_hex(4)
    pool = await open_pool(dsn, name="usagers")
    started = time.perf_counter() + 0.5

    async def commit(wake: Callable[[], None]) -> None:
        for number in numbers:
            due = started + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            name = f"{mark}-{number}-"
            await pool.execute(_INSERT, name, _ONE)
            committed[f"{name}1".encode()] = time.perf_counter()
            wake()

    async with way(bootstrap, dsn, acknowledged) as wake:
        await asyncio.gather(*(commit(wake) for _ in range(6)))
        async with asyncio.timeout(30):
            while committed.keys() - acknowledged.keys():
                await asyncio.sleep(0.01)
    await pool.close()
    return sorted(max(0.0, acknowledged[name] - at) * 1000 for name, at in committed.items())


async def measure(folder: Path, *, rounds: int, backlog: int, seconds: float) -> list[Figure]:
    """Return P7's figures."""
    ways: dict[str, tuple[Drain, int]] = {
        "ours": (drain_ours, backlog),
        "bare": (drain_bare, backlog),
        "naive": (drain_naive, backlog // _NAIVE_SHARE),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    waits: dict[str, list[float]] = {}
    with address.kafka(folder / "kafka") as bootstrap, address.postgres(folder / "postgres") as admin_dsn:
        dsns = await migrated(admin_dsn)
        await create_topics(bootstrap)
        admin = await asyncpg.connect(admin_dsn)
        for number in range(rounds + 1):  # the first one warms up
            for name, (drain, count) in in_turn(ways, number):
                await admin.execute("TRUNCATE router.outbox")
                await admin.execute(_INSERT, f"{name}{number}-", count)
                await admin.execute("VACUUM ANALYZE router.outbox")
                await admin.execute("CHECKPOINT")
                started = time.perf_counter()
                await drain(bootstrap, dsns["router"], admin)
                if number:
                    rates[name].append(count / (time.perf_counter() - started))
                    print(f"  round {number} {name}: {rates[name][-1]:,.0f} rows/s", flush=True)
        await admin.execute("TRUNCATE router.outbox")
        await _latencies(bootstrap, dsns["router"], rate=100, seconds=1)
        for number in range(rounds):
            for rate in (200, 1000):
                took = await _latencies(bootstrap, dsns["router"], rate=rate, seconds=seconds)
                for share in (0.5, 0.99):
                    waits.setdefault(f"{rate}/s p{share * 100:.0f}", []).append(percentile(took, share))
                print(f"  round {number + 1} {rate}/s: {percentile(took, 0.5):.1f}, {percentile(took, 0.99):.1f} ms", flush=True)
            took = await _latencies(bootstrap, dsns["router"], rate=200, seconds=seconds, way=_polling)
            waits.setdefault(NAIVE, []).append(percentile(took, 0.5))
            print(f"  round {number + 1} naive 200/s: {percentile(took, 0.5):.0f} ms", flush=True)
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
