"""Two transactions on one request: the row lock, which the revision would make up for, at a price."""

import asyncio
import uuid
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from tests.delivery.bench import Bench
from tests.delivery.log import say, until

pytestmark = pytest.mark.integration


async def test_who_comes_second_to_a_request_waits_for_the_first_and_never_begins_again(bench: Bench) -> None:
    mine = uuid.uuid4()
    await say(bench, mine, "m1")
    before = _conflicts()

    async with bench.pool.acquire() as first, first.transaction():
        await bench.shell.store.load(first, [mine])
        second = asyncio.create_task(say(bench, mine, "m2"))
        await until(lambda: _waits_for_the_row(bench), seconds=5)
        assert not second.done()
    await second

    assert await _said(bench, mine) == [1, 2]
    assert _conflicts() == before


async def _waits_for_the_row(bench: Bench) -> bool:
    sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
    return bool(await bench.pool.fetchval(sql))


async def _said(bench: Bench, request_id: UUID) -> list[int]:
    return [sequence for told, sequence in await bench.said() if told == request_id]


def _conflicts() -> float:
    return REGISTRY.get_sample_value("aiguilleur_conflicts_total", {"service": "notifier"}) or 0.0
