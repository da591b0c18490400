"""The aggregates on a real PostgreSQL: by two replicas at once, and rebuilt."""

import asyncio
from datetime import date
from random import Random
from typing import Any

import asyncpg
import pytest

from services.stats.domain.facts import Facts
from services.stats.store import StatisticsStore
from shared.app import App
from shared.delivery.values import Input
from shared.events.topics import SERVICES
from tests.stats.conftest import Replica
from tests.stats.log import Request, random_log, request_id
from tests.stats.recount import recount
from tests.stats.test_recount import records

pytestmark = pytest.mark.integration


async def tables(admin: asyncpg.Connection) -> tuple[dict[Any, int], dict[Any, int]]:
    cells = await admin.fetch("SELECT authority, day, service, channel, category, measure, amount FROM stats.cell")
    durations = await admin.fetch("SELECT authority, day, service, channel, measure, minutes, amount FROM stats.duration")
    return {tuple(row)[:-1]: row[-1] for row in cells}, {tuple(row)[:-1]: row[-1] for row in durations}


async def take(app: App[Facts], read: list[Input], size: int) -> None:
    for start in range(0, len(read), size):
        results = await app.shell.run(read[start : start + size], lane="log")
        assert all(result.kind in ("done", "duplicate") for result in results)


async def test_two_replicas_at_once_and_a_rebuild_hold_the_recount_row_for_row(
    admin: asyncpg.Connection, replica: Replica
) -> None:
    random = Random(20261124)
    logs = [random_log(random, number) for number in range(1, 301)]
    read = records(logs, random)
    expected = tuple(dict(one) for one in recount(logs))
    first, second = await replica(), await replica()

    # Each has its own requests, as each has its own partitions; they meet in the same cells.
    mine = [one for one in read if one.request_id.int % 2]
    theirs = [one for one in read if not one.request_id.int % 2]
    await asyncio.gather(take(first, mine, 37), take(second, theirs, 41))
    assert await tables(admin) == expected

    await admin.execute("TRUNCATE stats.request, stats.cell, stats.duration")
    await take(first, sorted(read, key=lambda one: str(one.topic)), 500)
    assert await tables(admin) == expected


async def test_a_month_has_its_first_and_its_last_day_and_nothing_of_another_town(
    admin: asyncpg.Connection, replica: Replica
) -> None:
    app = await replica()
    for number, (authority, day) in enumerate([("rivemont", 1), ("rivemont", 30), ("saint-aubrin", 30)]):
        one = Request(number, day=day)
        events = [one.received(), one.assigned(), one.taken(minutes=60 + number)]
        told = [event.model_copy(update={"authority": authority}) for event in events]
        await app.shell.run([Input(request_id(number), authority, event, fact=True) for event in told], lane="log")

    november = (await StatisticsStore(app.pool).find_months("rivemont", date(2026, 11, 1), date(2026, 11, 30)))[date(2026, 11, 1)]

    for counted, code in ((november.services, "voirie"), (november.channels, "web")):
        assert counted.amounts["received"] == {code: 2}
        assert counted.minutes == {code: {60: 1, 61: 1}}


async def test_the_statistics_cannot_read_keys_nor_anybody_elses_tables(stats_database: tuple[str, str]) -> None:
    connection = await asyncpg.connect(stats_database[1])
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM vault.request_key")
        for service in SERVICES:
            if service != "stats":
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.fetch(f"SELECT * FROM {service}.request")
    finally:
        await connection.close()
