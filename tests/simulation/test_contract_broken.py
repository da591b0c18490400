"""What breaks off in the midst of a transaction, in memory as on PostgreSQL: a lost answer, a deadlock, two time-outs."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from shared.db import pool
from shared.delivery.errors import CONFLICT, UNAVAILABLE, Unavailable
from shared.organisation import Authority
from tests.chaos.proxy import Proxy
from tests.delivery.bench import Bench
from tests.delivery.sample import OTHER, REQUEST, added
from tests.simulation import connection as memory
from tests.simulation.deeds import PLACE
from tests.simulation.desk import LINK, Desk, MemoryDesk, RealDesk, Way
from tests.simulation.scheduler import SECOND
from tests.simulation.test_contract import authority, batch, dsn, everything, keep, load, saved

__all__ = ["authority", "dsn"]
RECORDS = {PLACE: [added(1, "a", offset=0), added(2, "b", offset=1)]}


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as running:
        yield running


@pytest.fixture
def short_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """On both, so short a time-out that a test can wait for it."""
    monkeypatch.setattr(pool, "COMMAND_SECONDS", 2)
    monkeypatch.setattr(memory, "COMMAND", 2 * SECOND)


@pytest.fixture
def short_silences(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `short_commands`."""
    monkeypatch.setattr(pool, "IDLE_SECONDS", 4)
    monkeypatch.setattr(memory, "IDLE", 4 * SECOND)


@pytest.fixture
async def desk(dsn: str | None, authority: Authority, proxy: Proxy) -> AsyncIterator[Desk]:
    """On PostgreSQL with a link that can break."""
    if dsn is None:
        yield MemoryDesk(authority)
        return
    server = urlsplit(dsn)
    assert server.port is not None, "the address of a server that was started here"
    netloc = server.netloc.replace(f"{server.hostname}:{server.port}", f"127.0.0.1:{proxy.open(LINK, server.port)}")
    bench = await Bench.open(server._replace(netloc=netloc).geturl(), authority)
    yield RealDesk(bench, Way(proxy, dsn))
    bench.pool.terminate()


def revisions(rows: list[dict[str, Any]]) -> list[int]:
    return sorted(row["revision"] for row in rows)


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
async def test_who_does_not_hear_of_a_commit_finds_all_or_nothing_and_takes_it_again(desk: Desk, *, done: bool) -> None:
    before = await everything(desk)
    _lose_next_commit(desk, done=done)
    with pytest.raises(Unavailable):
        await desk.shell.take(RECORDS)

    found = await everything(desk)
    assert (found == before) is not done
    assert (revisions(found["request"]), len(found["heard"]), len(found["position"])) == (([1], 1, 1) if done else ([], 0, 0))

    assert await desk.shell.take(RECORDS) == {}
    after = await everything(desk)
    assert after == found or not done, "what was done was done again"
    assert (revisions(after["request"]), after["heard"][0]["text"], after["position"][0]["next_offset"]) == ([1], "a,b", 2)


def _lose_next_commit(desk: Desk, *, done: bool) -> None:
    store: Any = desk.shell.store  # Any: its method is put back after one call
    save = store.save

    async def save_and_lose(*told: Any) -> None:
        store.save = save
        await save(*told)
        await desk.lose_commit(done=done)

    store.save = save_and_lose


async def test_of_two_who_wait_for_each_other_one_is_told_and_the_other_goes_on(desk: Desk) -> None:
    await keep(desk, batch(saved(), saved(request_id=OTHER)))

    async def change(first: UUID, second: UUID) -> None:
        async with desk.shell.pool.acquire() as connection, connection.transaction():
            await desk.shell.store.load(connection, [first])
            await desk.rest()
            await desk.shell.store.save(connection, batch(saved(2, first)), {})
            await desk.shell.store.load(connection, [second])

    outcomes = await desk.side_by_side(change(REQUEST, OTHER), change(OTHER, REQUEST))
    assert sum(outcome is None for outcome in outcomes) == 1, outcomes
    assert sum(isinstance(outcome, CONFLICT) for outcome in outcomes) == 1, outcomes
    assert revisions(await desk.rows("request")) == [1, 2], "the one that was told has changed something"
    assert set(await load(desk, REQUEST, OTHER)) == {REQUEST, OTHER}


@pytest.mark.usefixtures("short_commands")
async def test_who_waits_for_a_row_for_too_long_gives_up_and_changes_nothing(desk: Desk) -> None:
    await keep(desk, batch(saved(), saved(request_id=OTHER)))

    gone: list[bool] = []

    async def hold() -> None:
        async with desk.shell.pool.acquire() as connection, connection.transaction():
            await desk.shell.store.load(connection, [REQUEST])
            for _ in range(100):
                await desk.rest()
                if gone:
                    return

    async def wait() -> None:
        await desk.rest()
        try:
            async with desk.shell.pool.acquire() as connection, connection.transaction():
                await desk.shell.store.save(connection, batch(saved(2, OTHER)), {})
                await desk.shell.store.load(connection, [REQUEST])
        finally:
            gone.append(True)

    held, waited = await desk.side_by_side(hold(), wait())
    assert held is None
    assert isinstance(waited, TimeoutError) and isinstance(waited, UNAVAILABLE), waited
    assert revisions(await desk.rows("request")) == [1, 1]
    await keep(desk, batch(saved(2), saved(2, OTHER)))


@pytest.mark.usefixtures("short_silences")
async def test_who_says_nothing_for_too_long_loses_the_transaction_and_its_locks(desk: Desk) -> None:
    await keep(desk, batch(saved()))
    idle = pool.IDLE_SECONDS

    async def fall_silent() -> None:
        async with desk.shell.pool.acquire() as connection, connection.transaction():
            await desk.shell.store.load(connection, [REQUEST])
            await desk.shell.store.save(connection, batch(saved(2)), {})
            await desk.idle(connection, idle + 1)
            await desk.shell.store.load(connection, [REQUEST])

    async def follow() -> int:
        await desk.rest(idle * 0.75)
        return int((await load(desk, REQUEST))[REQUEST].revision)

    silent, seen = await desk.side_by_side(fall_silent(), follow())
    assert isinstance(silent, UNAVAILABLE), silent
    assert seen == 1
    assert revisions(await desk.rows("request")) == [1]
