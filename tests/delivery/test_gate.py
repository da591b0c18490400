"""The gate: nothing is published or taken before the database is known not to be older than the log."""

import asyncio
import uuid
from typing import Any

import pytest

from deploy.local.kafka import KafkaServer
from shared.delivery.ahead import Name, find_ahead
from shared.delivery.errors import Unavailable
from shared.delivery.gate import UNCOMPARED, Gate
from shared.delivery.values import Input
from tests.delivery.bench import PLACE, Bench
from tests.delivery.log import consuming, equals, is_zero, pending, publish, relaying, say, until
from tests.delivery.past import remember, restore
from tests.delivery.sample import REQUEST, Say, added

pytestmark = pytest.mark.integration


async def nothing() -> None:
    """The log has nothing that the database does not know."""


async def something() -> Name:
    return Name(REQUEST, "notifications.v1", 1)


class Server:
    """A connection to some run of PostgreSQL."""

    def __init__(self, run: str) -> None:
        self.run = run

    async def fetchval(self, _statement: str) -> str:
        return self.run


def connection(run: str) -> Any:  # Any: it stands for one of asyncpg's
    return Server(run)


async def test_who_waits_to_try_again_goes_on_as_soon_as_it_opens() -> None:
    gate = Gate("notifier")
    async with asyncio.timeout(1):
        waiting = asyncio.create_task(gate.wait(30))
        await asyncio.sleep(0)
        gate.trust()
        await waiting


async def test_who_waits_waits_while_it_stays_as_it_is() -> None:
    gate = Gate("notifier")
    for _ in ("shut", "open"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await gate.wait(30)
        gate.trust()


async def test_it_opens_when_the_log_was_compared_and_shuts_at_another_run_of_postgresql() -> None:
    gate = Gate("notifier")
    await gate.look(connection("first"))
    with pytest.raises(Unavailable, match="compared"):
        gate.require()

    await gate.compare(nothing)
    await gate.look(connection("first"))
    gate.require()

    await gate.look(connection("second"))
    with pytest.raises(Unavailable, match="compared"):
        gate.require()


async def test_a_comparison_with_the_run_before_opens_nothing() -> None:
    gate = Gate("notifier")
    await gate.look(connection("first"))

    async def restarted() -> None:
        await gate.look(connection("second"))

    await gate.compare(restarted)
    assert not gate.is_open


async def test_it_says_that_the_log_is_ahead_and_what_to_do() -> None:
    gate = Gate("notifier")
    await gate.compare(something)

    assert gate.is_ahead
    assert gate.told == gate.why, "only a person can go on from here: at once"
    with pytest.raises(Unavailable, match="aiguilleur reconcile"):
        gate.require()


async def test_people_are_told_why_it_is_shut_when_it_has_been_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate("notifier")
    told = [gate.told]
    monkeypatch.setattr("shared.delivery.gate.TOLD_SECONDS", 0.0)
    told.append(gate.told)
    gate.trust()
    told.append(gate.told)
    assert told == [None, UNCOMPARED, None], "each start compares, which is nothing to tell"


async def test_a_gate_that_shuts_again_is_told_only_when_it_has_been_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate("notifier")
    await gate.look(connection("one"))
    gate.trust()
    monkeypatch.setattr("shared.delivery.gate.TOLD_SECONDS", 0.1)
    await asyncio.sleep(0.15)
    await gate.look(connection("another"))
    told = [gate.told]
    await asyncio.sleep(0.15)
    told.append(gate.told)
    assert told == [None, UNCOMPARED]


async def test_it_goes_on_asking_until_kafka_answers() -> None:
    gate, asked = Gate("notifier"), 0

    async def away_at_first() -> None:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise ConnectionError

    serving = asyncio.create_task(gate.serve(away_at_first))
    await asyncio.wait_for(gate.pass_(), 5)
    serving.cancel()
    assert asked == 3


async def test_while_it_is_shut_only_new_requests_are_taken(bench: Bench) -> None:
    bench.shell.gate = bench.shell.local._gate = Gate("notifier")
    with pytest.raises(Unavailable):
        await say(bench, REQUEST, "a")
    with pytest.raises(Unavailable):
        await bench.shell.take({PLACE: [added(1, "a")]})
    serving = asyncio.create_task(bench.shell.local.serve())
    new, old = uuid.uuid4(), Input(REQUEST, "rivemont", Say("a"))
    answers = await asyncio.gather(
        bench.shell.local.apply(Input(new, "rivemont", Say("a"), new=True)), bench.shell.local.apply(old), return_exceptions=True
    )
    serving.cancel()

    assert not isinstance(answers[0], BaseException) and answers[0].kind == "done"
    assert isinstance(answers[1], Unavailable)
    assert [request_id for request_id, _ in await bench.said()] == [new]


@pytest.mark.slow
async def test_a_restored_database_is_told_from_one_that_lags(bench: Bench, database: str, empty_log: KafkaServer) -> None:
    async def ahead() -> Name | None:
        return await find_ahead(bench.pool, empty_log.bootstrap, "notifier")

    assert await ahead() is None  # an empty log
    await publish(empty_log, added(1, "a"))
    async with relaying(bench, database, empty_log), consuming(bench, empty_log):
        await until(lambda: equals(bench.heard(REQUEST), ("a",)))
        await until(lambda: is_zero(pending(bench)))
        await remember(bench.pool)
        assert await ahead() is None
        await say(bench, REQUEST, "b")
        await until(lambda: is_zero(pending(bench)))
    await bench.pool.execute("UPDATE notifier.outbox SET published_at = NULL")
    assert await ahead() is None, "a crash between the sending and the note of it is no restore"

    await restore(bench.pool)

    assert await ahead() == Name(REQUEST, "notifications.v1", 2)
