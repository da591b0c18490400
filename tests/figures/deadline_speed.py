"""P4: deadlines fired a second, beside the same writes bare, in sets and one by one; and what an idle look costs."""

import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from deploy.local import address
from deploy.local.town import ORGANISATION
from services.sla.app import build
from services.sla.domain.clocks import Clocks
from services.sla.settings import SlaSettings
from services.sla.store import CLAIM
from services.sla.ticks import LEASE, SET, Ticker
from shared.app import App
from shared.clock import FileClock
from shared.delivery.values import Input
from tests.figures.database import migrated
from tests.figures.turns import in_turn
from tests.proof.options import Options
from tests.proof.report import Figure, median
from tests.sla.story import DUE, RECEIVED, WARN, assigned, received

_LOOKS, _PARTS = 400, 5
_TABLES = ("sla.request", "sla.deadline")
_LOAD = "SELECT request_id, state FROM sla.request WHERE request_id = ANY($1::uuid[]) ORDER BY request_id FOR UPDATE"
_WRITE = """WITH states AS (
        UPDATE sla.request AS r SET state = t.state, revision = revision + 1, sent_escalations_v1 = 1
        FROM unnest($1::uuid[], $2::bytea[]) AS t (id, state) WHERE r.request_id = t.id
    ), told AS (
        INSERT INTO sla.outbox (request_id, topic, key, sequence, type, at, value)
        SELECT id, 'escalations.v1', convert_to(id::text, 'UTF8'), 1, 'fr.aiguilleur.promise.warned.v1', now(), value
        FROM unnest($1::uuid[], $3::bytea[]) AS t (id, value)
    )
    UPDATE sla.deadline AS d SET what = 'due', due_at = $4, leased_until = NULL
    FROM unnest($1::uuid[]) AS t (id) WHERE d.request_id = t.id AND d.promise = 'taking_charge'"""
_FILL = """INSERT INTO sla.deadline (request_id, promise, what, due_at, authority)
    SELECT lpad(to_hex(n), 32, '0')::uuid, 'taking_charge', 'warn', $3::timestamptz + n * interval '1 second', 'rivemont'
    FROM generate_series($1::bigint, $2::bigint) AS n"""


async def fire_bare(pool: asyncpg.Pool, *, limit: int) -> None:
    """Claim what is due and write the same, without a step, a guard or a sequence. One set a transaction."""
    while True:
        async with pool.acquire() as connection, connection.transaction():
            claimed = await connection.fetch(CLAIM, WARN, limit, LEASE)
            if not claimed:
                return
            rows = await connection.fetch(_LOAD, [row["request_id"] for row in claimed])
            states, events = [], []
            for row in rows:
                state = msgspec.json.decode(row["state"])
                state["taking_charge"]["warned"] = True
                states.append(msgspec.json.encode(state))
                told = {"request_id": row["request_id"], "authority": "rivemont", "at": WARN, "promise": "taking_charge"}
                events.append(msgspec.json.encode(told | {"service": state["owner"], "due_at": DUE}))
            await connection.execute(_WRITE, [row["request_id"] for row in rows], states, events, DUE)


async def _given(app: App[Clocks], admin: asyncpg.Connection, count: int) -> None:
    """Requests that were received and assigned, kept aside so that each round begins with the same."""
    for start in range(0, count, 500):
        ids = [uuid.uuid4() for _ in range(min(500, count - start))]
        facts = [fact.model_copy(update={"request_id": one}) for one in ids for fact in (received(), assigned())]
        await app.shell.run([Input(fact.request_id, "rivemont", fact, fact=True) for fact in facts], lane="given")
    for table in _TABLES:
        await admin.execute(f"CREATE TABLE {table}_given AS SELECT * FROM {table}")


async def _again(admin: asyncpg.Connection, count: int) -> None:
    await admin.execute(f"TRUNCATE {', '.join(_TABLES)}, sla.outbox")
    for table in _TABLES:
        wanted = f"request_id IN (SELECT request_id FROM sla.request_given ORDER BY request_id LIMIT {count})"
        await admin.execute(f"INSERT INTO {table} SELECT * FROM {table}_given WHERE {wanted}")
        await admin.execute(f"VACUUM ANALYZE {table}")
    await admin.execute("CHECKPOINT")


async def _fired(admin: asyncpg.Connection, app: App[Clocks], *, rounds: int, count: int) -> dict[str, list[float]]:
    async def ours() -> None:
        await Ticker(app).fire_due()

    ways: dict[str, tuple[Callable[[], Awaitable[None]], int]] = {
        "ours": (ours, count),
        "bare": (lambda: fire_bare(app.pool, limit=SET), count),
        "single": (lambda: fire_bare(app.pool, limit=1), max(count // 20, 100)),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):  # the first one warms up
        for name, (fire, size) in in_turn(ways, number):
            await _again(admin, size)
            started = time.perf_counter()
            await fire()
            rate = size / (time.perf_counter() - started)
            left = await admin.fetchval("SELECT count(*) FROM sla.deadline WHERE what = 'warn'")
            told = await admin.fetchval("SELECT count(*) FROM sla.outbox")
            assert (left, told) == (0, size), f"{name}: {left} left, {told} told of {size}"
            if number:
                rates[name].append(rate)
                print(f"  round {number} {name}: {rate:,.0f} fired/s", flush=True)
    return rates


async def _idle(admin: asyncpg.Connection, app: App[Clocks], levels: tuple[int, ...]) -> dict[str, list[float]]:
    """Return the milliseconds of looks at a table in which nothing is due, by the number of open deadlines."""
    await admin.execute(f"TRUNCATE {', '.join(_TABLES)}")
    ticker, filled, looks = Ticker(app), 0, {}
    for level in levels:
        while filled < level:
            upto = min(level, filled + 500_000)
            await admin.execute(_FILL, filled + 1, upto, WARN + timedelta(days=3))
            filled = upto
        await admin.execute("VACUUM ANALYZE sla.deadline")
        took = []
        for _ in range(_LOOKS):
            started = time.perf_counter()
            assert await ticker.fire_due() == 0
            took.append((time.perf_counter() - started) * 1000)
        looks[f"{level:,} open"] = [median(took[part::_PARTS]) for part in range(_PARTS)]
        print(f"  {level:,} open: {median(took):.2f} ms", flush=True)
    return looks


async def measure(folder: Path, *, rounds: int, count: int, levels: tuple[int, ...]) -> list[Figure]:
    """Return P4's figures."""
    folder.mkdir(parents=True, exist_ok=True)
    clock_file = folder / "clock.json"
    FileClock.write(clock_file, shown=RECEIVED, speed=0.0)
    with address.postgres(folder / "postgres") as admin_dsn:
        dsns = await migrated(admin_dsn)
        told: dict[str, Any] = {"kafka": "127.0.0.1:9", "organisation": ORGANISATION, "database": dsns["sla"], "port": 8003}
        app = await build(SlaSettings(**told, clock_file=clock_file))
        app.shell.gate.trust()  # no Kafka here: nothing to compare the database with
        admin = await asyncpg.connect(admin_dsn, command_timeout=600)
        await _given(app, admin, count)
        FileClock.write(clock_file, shown=WARN, speed=0.0)
        time.sleep(0.05)  # the clock looks at its file again after 20 ms
        rates = await _fired(admin, app, rounds=rounds, count=count)
        looks = await _idle(admin, app, levels)
        await admin.close()
        app.pool.terminate()
    ratio = median(rates["ours"]) / median(rates["bare"])
    medians = {name: median(took) for name, took in looks.items()}
    first, *_, last = medians.values()
    worst = max(medians.values())
    return [
        Figure("P4", "deadlines fired, ours / the same writes bare, in sets", ratio, ">= 0.6", ratio >= 0.6, rates),
        Figure("P4", "an idle look, ms (median, the worst of the levels)", worst, "<= 1", worst <= 1, looks),
        Figure("P4", f"an idle look, {levels[-1]:,} open / {levels[0]:,} open", last / first, "<= 1.5", last / first <= 1.5),
    ]


async def prove(options: Options) -> list[Figure]:
    """P4, by `python -m tests.proof deadlines`."""
    if options.short:
        return await measure(options.folder, rounds=1, count=3_000, levels=(10_000, 100_000))
    return await measure(options.folder, rounds=3, count=15_000, levels=(10_000, 100_000, 1_000_000, 5_000_000))
