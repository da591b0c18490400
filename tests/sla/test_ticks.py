"""Due rows on a real PostgreSQL: claimed in sets by several replicas, each fired once."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

import asyncpg
import httpx
import msgspec
import pytest

from services.sla.domain.clocks import Clocks
from services.sla.store import CLAIM, DeadlineStore
from services.sla.ticks import LEASE, SET, Ticker
from shared import metrics
from shared.app import App
from shared.delivery.values import Input
from tests.full_disk import full_disk
from tests.sla.conftest import Replica
from tests.sla.story import DUE, RECEIVED, REQUEST, WARN, assigned, received, taken

pytestmark = pytest.mark.integration
SetClock = Callable[[datetime], None]


async def given_requests(app: App[Clocks], count: int) -> list[UUID]:
    """Requests that are received and assigned."""
    ids = [uuid.uuid4() for _ in range(count)]
    for start in range(0, count, 500):
        told = [
            Input(one, "rivemont", fact.model_copy(update={"request_id": one}), fact=True)
            for one in ids[start : start + 500]
            for fact in (received(), assigned())
        ]
        await app.shell.run(told, lane="tick")
    return ids


async def said(admin: asyncpg.Connection) -> Counter[tuple[UUID, str]]:
    rows = await admin.fetch("SELECT request_id, type, value FROM sla.outbox ORDER BY id")
    kinds = [row["type"].split(".")[-2] for row in rows]
    levels = [str(msgspec.json.decode(row["value"]).get("level", "")) for row in rows]
    return Counter((row["request_id"], kind + level) for row, kind, level in zip(rows, kinds, levels, strict=True))


async def test_two_replicas_fire_each_deadline_once(admin: asyncpg.Connection, replica: Replica, set_clock: SetClock) -> None:
    set_clock(RECEIVED)
    first, second = await replica(), await replica()
    ids = await given_requests(first, 1200)

    set_clock(DUE)
    fired = await asyncio.gather(*(Ticker(app).fire_due() for app in (first, second)))

    expected = {(one, what): 1 for one in ids for what in ("warned", "missed", "raised1")}
    assert await said(admin) == expected
    assert sum(fired) == 2 * len(ids)  # a tick for the warning, and one for the miss with the first level
    assert min(fired) > 0, "one replica did all the work: nothing was shared"


async def test_nothing_fires_early_or_after_the_end(admin: asyncpg.Connection, replica: Replica, set_clock: SetClock) -> None:
    set_clock(RECEIVED)
    app = await replica()
    one, other = await given_requests(app, 2)
    ticker = Ticker(app)

    set_clock(WARN - timedelta(milliseconds=1))
    assert await ticker.fire_due() == 0
    await app.shell.run([Input(other, "rivemont", taken().model_copy(update={"request_id": other}), fact=True)], lane="tick")
    set_clock(DUE + timedelta(days=60))
    await ticker.fire_due()

    whats = ("warned", "missed", "raised1", "raised2", "raised3")
    assert await said(admin) == {(one, what): 1 for what in whats}
    assert await admin.fetchval("SELECT count(*) FROM sla.deadline") == 0


async def test_what_a_dead_replica_had_claimed_is_fired_after_the_lease(
    admin: asyncpg.Connection, replica: Replica, set_clock: SetClock
) -> None:
    set_clock(RECEIVED)
    dead, alive = await replica(), await replica()
    (one,) = await given_requests(dead, 1)
    set_clock(WARN)
    assert len(await DeadlineStore(dead.pool).claim_due(WARN, limit=SET, lease=LEASE)) == 1

    assert await Ticker(alive).fire_due() == 0
    await asyncio.sleep(LEASE.total_seconds() + 0.1)

    assert await Ticker(alive).fire_due() == 1
    assert await said(admin) == {(one, "warned"): 1}


async def test_the_loop_fires_what_comes_due_while_it_runs(
    admin: asyncpg.Connection, replica: Replica, set_clock: SetClock
) -> None:
    set_clock(RECEIVED)
    app = await replica()
    serving = asyncio.create_task(Ticker(app).serve())
    await asyncio.sleep(0.3)
    (one,) = await given_requests(app, 1)  # the loop learns of it within a second
    await asyncio.sleep(1.3)
    set_clock(WARN)
    await asyncio.sleep(0.6)  # the clock is read every 200 ms
    serving.cancel()

    assert await said(admin) == {(one, "warned"): 1}


async def test_a_claim_for_which_there_is_no_room_is_counted_and_tried_again(
    sla_database: tuple[str, str], admin: asyncpg.Connection, replica: Replica, set_clock: SetClock
) -> None:
    set_clock(RECEIVED)
    app = await replica()
    (one,) = await given_requests(app, 1)
    counter = metrics.UNAVAILABLE.labels("sla", "postgresql")
    before = counter._value.get()
    set_clock(WARN)
    async with full_disk(sla_database[0], "sla.deadline"):
        serving = asyncio.create_task(Ticker(app).serve())
        while counter._value.get() == before:
            await asyncio.sleep(0.05)
        assert await said(admin) == Counter()
    while not await said(admin):
        await asyncio.sleep(0.05)
    serving.cancel()

    assert await said(admin) == {(one, "warned"): 1}


async def test_an_agent_can_see_why_a_request_is_due_when_it_is(
    admin: asyncpg.Connection, replica: Replica, set_clock: SetClock
) -> None:
    set_clock(RECEIVED)
    app = await replica()
    await app.shell.run([Input(REQUEST, "rivemont", fact, fact=True) for fact in (received(), assigned())], lane="tick")

    transport = httpx.ASGITransport(app=app.http)
    async with httpx.AsyncClient(transport=transport, base_url="http://sla") as http:
        told = (await http.get(f"/v1/requests/{REQUEST}/deadline")).json()
        unknown = await http.get(f"/v1/requests/{uuid.uuid4()}/deadline")
        wrong = await http.get("/v1/requests/voirie/deadline")

    clock = told["clocks"][0]
    assert (clock["promise"], clock["standing"], clock["next"]["what"]) == ("taking_charge", "running", "warn")
    assert datetime.fromisoformat(clock["due_at"]) == DUE
    assert told["owner"] == "urbanisme"
    assert told["trace"]["lines"][0] == "lun. 23 nov. 9 h 00 : 7 h"
    assert any("fermé" in line for line in told["trace"]["lines"])
    assert (unknown.status_code, wrong.status_code) == (404, 422)
    assert unknown.headers["content-type"] == wrong.headers["content-type"] == "application/problem+json"


async def test_an_idle_look_stays_cheap_with_many_open(admin: asyncpg.Connection, replica: Replica, set_clock: SetClock) -> None:
    set_clock(RECEIVED)
    store = DeadlineStore((await replica()).pool)
    await admin.execute(
        "INSERT INTO sla.deadline (request_id, promise, what, due_at, authority) SELECT gen_random_uuid(), 'taking_charge', "
        "'warn', $1::timestamptz + n * interval '1 second', 'rivemont' FROM generate_series(1, 200000) AS n",
        WARN,
    )
    await admin.execute("VACUUM ANALYZE sla.deadline")

    async def look() -> float:
        started = time.perf_counter()
        assert await store.claim_due(RECEIVED, limit=SET, lease=LEASE) == []
        await store.find_next()
        return time.perf_counter() - started

    seconds = median([await look() for _ in range(200)])
    plan = "\n".join(row[0] for row in await admin.fetch(f"EXPLAIN {CLAIM}", RECEIVED, SET, LEASE))
    print(f"\nidle look with 200,000 open deadlines: {seconds * 1000:.2f} ms (two statements and their round trips)")
    assert "deadline_due" in plan
    assert "Seq Scan on deadline" not in plan
    assert seconds < 0.01


@pytest.mark.slow
async def test_claims_in_sets_are_many_times_faster_than_one_by_one(
    admin: asyncpg.Connection, replica: Replica, set_clock: SetClock
) -> None:
    set_clock(RECEIVED)
    app = await replica()
    await given_requests(app, 4000)
    store = DeadlineStore(app.pool)

    async def claims_a_second(limit: int, count: int) -> float:
        await admin.execute("UPDATE sla.deadline SET leased_until = NULL")
        await admin.execute("VACUUM ANALYZE sla.deadline")
        started, claimed = time.perf_counter(), 0
        while claimed < count:
            claimed += len(await store.claim_due(WARN, limit=limit, lease=timedelta(minutes=5)))
        return claimed / (time.perf_counter() - started)

    in_sets, one_by_one = await claims_a_second(SET, 4000), await claims_a_second(1, 400)
    await admin.execute("UPDATE sla.deadline SET leased_until = NULL")
    set_clock(WARN)
    started = time.perf_counter()
    fired = await Ticker(app).fire_due()
    whole = fired / (time.perf_counter() - started)

    print(f"\nclaims/s in sets {in_sets:,.0f}, one by one {one_by_one:,.0f}; claimed, decided and committed {whole:,.0f}/s")
    assert fired == 4000
    assert in_sets > 5 * one_by_one
    assert whole > one_by_one
