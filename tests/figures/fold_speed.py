"""P3: events a second through the router's shell, beside the bare loop and the naive way, alternating."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg

from deploy.local import address
from deploy.local.town import ORGANISATION
from services.router.service import ROUTER
from shared.clock import SystemClock
from shared.db.pool import open_pool
from shared.delivery.consumer import Consumer
from shared.delivery.service import Service
from shared.delivery.shell import Shell
from shared.events.broker import create_topics
from shared.organisation import load
from tests.figures.database import migrated
from tests.figures.fold_bare import fold_bare
from tests.figures.fold_naive import fold_naive
from tests.figures.load import produce_requests
from tests.figures.turns import in_turn
from tests.proof.options import Options
from tests.proof.report import Figure, median

Fold = Callable[[str, str, int, str], Awaitable[object]]


INSTALLATION = load(ORGANISATION)


async def fold_ours(bootstrap: str, dsn: str, count: int, group: str, service: Service[Any] = ROUTER) -> float:
    """Take `count` records through the shell as shipped; return how many a second, from the first batch on."""
    pool = await open_pool(dsn, name="ours")
    shell = Shell(service, pool=pool, clock=SystemClock(), authority_of=INSTALLATION.authority)
    consumer = Consumer(shell, bootstrap=bootstrap, instance=group, group=group)
    serving = asyncio.create_task(consumer.serve())
    try:
        while not consumer.taken:
            await asyncio.sleep(0.001)
        first, started = consumer.taken, time.perf_counter()
        while consumer.taken < count:
            await asyncio.sleep(0.005)
        return (count - first) / (time.perf_counter() - started)
    finally:
        serving.cancel()
        await consumer.stop()
        await pool.close()


async def _empty(admin: asyncpg.Connection) -> None:
    await admin.execute("TRUNCATE router.request, router.assignment, router.outbox, router.position, router.parked")
    await admin.execute("CHECKPOINT")


async def measure(folder: Path, *, rounds: int, count: int, naive_count: int) -> list[Figure]:
    """Return P3's two ratios. The naive way is given fewer records: its rate does not depend on their number."""
    with address.kafka(folder / "kafka") as bootstrap, address.postgres(folder / "postgres") as admin_dsn:
        dsns = await migrated(admin_dsn)
        await create_topics(bootstrap)
        await produce_requests(bootstrap, count)
        admin = await asyncpg.connect(admin_dsn)
        ways: dict[str, tuple[Fold, int]] = {
            "ours": (fold_ours, count),
            "bare": (fold_bare, count),
            "naive": (fold_naive, naive_count),
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(rounds):
            for name, (fold, size) in in_turn(ways, number):
                await _empty(admin)
                started = time.perf_counter()
                await fold(bootstrap, admin_dsn if name != "ours" else dsns["router"], size, f"{name}-{number}")
                rates[name].append(size / (time.perf_counter() - started))
                print(f"  round {number + 1} {name}: {rates[name][-1]:,.0f} events/s", flush=True)
        await admin.close()
    ours, bare, naive = (median(rates[name]) for name in ("ours", "bare", "naive"))
    return [
        Figure("P3", "router fold, ours / bare loop", ours / bare, ">= 0.6", ours / bare >= 0.6, rates),
        Figure("P3", "router fold, ours / naive", ours / naive, ">= 50", ours / naive >= 50),
    ]


async def prove(options: Options) -> list[Figure]:
    """P3, by `python -m tests.proof fold`."""
    count = 10_000 if options.short else 60_000
    return await measure(options.folder, rounds=3, count=count, naive_count=count // 60)
