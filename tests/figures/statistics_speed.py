"""P5: events a second into the aggregates, beside a bare set-based loop that writes the same, and the naive way, alternating.

The naive way: the bare loop's statements for each event, in a transaction of its own.
"""

import gc
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

from deploy.local import address
from deploy.local.town import ORGANISATION
from services.stats.app import build
from services.stats.settings import StatsSettings
from shared.delivery.values import Input
from tests.figures.database import migrated
from tests.figures.turns import in_turn
from tests.proof.options import Options
from tests.proof.report import Figure, median
from tests.stats.bare import take_bare
from tests.stats.log import CHANNELS, SERVICES, Request, request_id

BATCH = 2_000
EVENTS_EACH = 4
Way = Callable[[list[list[Input]]], Awaitable[None]]
_NAIVE_SHARE = 40
"""The naive way is given a fortieth: its rate does not depend on it."""
_SEED = 8
_CELLS = "SELECT md5(string_agg(cell::text, ' ' ORDER BY cell::text)) FROM stats.cell WHERE amount <> 0"


def load(requests: int, seed: int) -> list[list[Input]]:
    """Four events for each request, as they come when the town is busy: the life close behind the receipt."""
    random = Random(seed)
    read: list[tuple[float, int, Input]] = []
    for number in range(requests):
        one = Request(number, service=random.choice(SERVICES), channel=random.choice(CHANNELS), day=random.randint(1, 28))
        told = [one.registered(), one.assigned(), one.taken(minutes=random.randint(0, 3000), late=random.random() < 0.2)]
        at = random.random()
        inputs = [Input(request_id(number), "rivemont", one.received(), True, "requests.v1", 1)]
        inputs += [Input(request_id(number), "rivemont", e, True, "handling.v1", n) for n, e in enumerate(told, start=1)]
        read += [(at + place * 0.02, number, each) for place, each in enumerate(inputs)]
    ordered = [one for _, _, one in sorted(read, key=lambda each: each[0])]
    return [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]


async def _empty(admin: asyncpg.Connection) -> None:
    await admin.execute("TRUNCATE stats.request, stats.cell, stats.duration")
    await admin.execute("CHECKPOINT")


async def measure(folder: Path, *, rounds: int, requests: int, seed: int) -> list[Figure]:
    """Return P5's ratio. All ways count the same, cell by cell, or the run ends."""
    with address.postgres(folder / "postgres") as admin_dsn:
        dsns = await migrated(admin_dsn)
        told: dict[str, Any] = {"kafka": "127.0.0.1:9", "organisation": ORGANISATION, "database": dsns["stats"], "port": 8005}
        app = await build(StatsSettings(**told))
        app.shell.gate.trust()  # no Kafka here: nothing to compare the database with
        admin = await asyncpg.connect(admin_dsn)
        batches = load(requests, seed)
        some = [one for batch in batches for one in batch][: EVENTS_EACH * requests // _NAIVE_SHARE]
        gc.collect()
        gc.freeze()  # the load is there only for the figure: a service holds one batch, and the collector need not walk the rest

        async def ours(batches: list[list[Input]]) -> None:
            for batch in batches:
                await app.shell.run(batch, lane="log")

        async def bare(batches: list[list[Input]]) -> None:
            await take_bare(app.pool, batches)

        ways: dict[str, tuple[Way, list[list[Input]]]] = {
            "ours": (ours, batches),
            "bare": (bare, batches),
            "naive": (bare, [[one] for one in some]),
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        await _empty(admin)
        await bare([some])
        held: dict[int, set[str]] = {len(some): {await admin.fetchval(_CELLS)}}  # what was counted, by the number of events
        for number in range(rounds):
            for name, (way, given) in in_turn(ways, number):
                size = sum(map(len, given))
                await _empty(admin)
                started = time.perf_counter()
                await way(given)
                rates[name].append(size / (time.perf_counter() - started))
                print(f"  round {number + 1} {name}: {rates[name][-1]:,.0f} events/s", flush=True)
                held.setdefault(size, set()).add(await admin.fetchval(_CELLS))
        gc.unfreeze()
        await admin.close()
        app.pool.terminate()
    assert all(len(cells) == 1 for cells in held.values()), "the ways did not count the same"
    ratio = median(rates["ours"]) / median(rates["bare"])
    return [Figure("P5", "statistics, ours / bare loop of the same writes", ratio, ">= 0.6", ratio >= 0.6, rates)]


async def prove(options: Options) -> list[Figure]:
    """P5, by `python -m tests.proof statistics`."""
    requests = 4_000 if options.short else 12_500
    return await measure(options.folder, rounds=3, requests=requests, seed=_SEED if options.seed is None else options.seed)
