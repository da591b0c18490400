"""What is gathered from PostgreSQL: the sessions that were left open, and no other."""

import asyncio

import asyncpg
import pytest

from tests.judge.gathering import left_open

pytestmark = pytest.mark.integration
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'"


async def test_what_is_still_open_when_it_is_looked_at_again_was_left_open(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, idle, waiting, brief = [await asyncpg.connect(database) for _ in range(4)]

    async def meanwhile(seconds: float) -> None:
        """Have one transaction end and another begin in the same session."""
        assert seconds == 5
        for statement in ("COMMIT", "BEGIN"):
            await brief.execute(statement)

    await idle.execute("CREATE TABLE held ()")
    assert await left_open(looking) == []
    for one in (idle, brief):
        await one.execute("BEGIN")
    await idle.execute("LOCK TABLE held")
    waits = asyncio.create_task(waiting.fetch("SELECT * FROM held"))
    while not await looking.fetchval(_WAITING, waiting.get_server_pid()):
        await asyncio.sleep(0.01)
    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "sleep", meanwhile)
        found = await left_open(looking)

    assert {row["pid"]: row["waits"] for row in found} == {idle.get_server_pid(): False, waiting.get_server_pid(): True}
    await idle.execute("COMMIT")
    await waits
    for one in (looking, idle, waiting, brief):
        await one.close()
