"""A restored database takes over from the log what its service told since: the same states, nothing decided again."""

import uuid
from uuid import UUID

import pytest

from deploy.local.kafka import KafkaServer
from shared.delivery.ahead import find_ahead
from shared.delivery.parking import Choice, Parking
from shared.delivery.rebuild import CannotRebuild, Rebuild
from shared.delivery.reconcile import Reconciled, Reconciliation
from tests.delivery.bench import Bench
from tests.delivery.log import consuming, equals, has, is_zero, pending, publish, relaying, say, until
from tests.delivery.past import remember, restore
from tests.delivery.sample import Faults, added, warned

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def quiet(_what: str, _done: int, _all: int) -> None:
    """Tell nobody."""


async def reconcile(bench: Bench, broker: KafkaServer) -> Reconciled:
    async with bench.pool.acquire() as connection, connection.transaction():
        work = Reconciliation(bench.shell, broker.bootstrap, connection, quiet)
        await work.find()
        return await work.adopt()


async def states(bench: Bench) -> list[tuple[object, ...]]:
    columns = "request_id, held, state, seen_requests_v1, seen_escalations_v1, sent_notifications_v1"
    return [tuple(row) for row in await bench.pool.fetch(f"SELECT {columns} FROM notifier.request ORDER BY 1")]


@pytest.fixture
def mine() -> list[UUID]:
    return [uuid.uuid4() for _ in range(4)]


async def test_what_was_told_since_is_known_again(bench: Bench, database: str, empty_log: KafkaServer, mine: list[UUID]) -> None:
    """One request goes on, one is told of an escalation, one is new; the consumer reads again what it forgot, and drops it."""
    await publish(empty_log, added(1, "a", mine[0]), added(1, "a", mine[1]))
    async with relaying(bench, database, empty_log), consuming(bench, empty_log):
        await until(lambda: equals(bench.heard(mine[1]), ("a",)))
        await until(lambda: is_zero(pending(bench)))
        await remember(bench.pool)
        await publish(empty_log, added(2, "b", mine[0]), warned(1, mine[1]), added(1, "new", mine[2]))
        await until(lambda: equals(bench.heard(mine[2]), ("new",)))
        await until(lambda: equals(bench.heard(mine[0]), ("a", "b")))
        await say(bench, mine[1], "by hand")
        await until(lambda: is_zero(pending(bench)))
    before, said = await states(bench), await bench.said()
    await restore(bench.pool)

    done = await reconcile(bench, empty_log)
    again = await reconcile(bench, empty_log)

    assert (done.events, done.requests, again.events) == (3, 3, 0)
    assert await find_ahead(bench.pool, empty_log.bootstrap, "notifier") is None
    async with relaying(bench, database, empty_log), consuming(bench, empty_log):
        await publish(empty_log, added(1, "after", mine[3]))
        await until(lambda: equals(bench.heard(mine[3]), ("after",)))
        await until(lambda: equals(_seen_warning(bench, mine[1]), 1))
        await until(lambda: is_zero(pending(bench)))
    assert [row for row in await states(bench) if row[0] != mine[3]] == before
    assert sorted(await bench.said()) == sorted([*said, (mine[3], 1)]), "nothing is told again"
    assert not (await Rebuild(bench.shell, empty_log.bootstrap, quiet).check()).differences


async def _seen_warning(bench: Bench, request_id: UUID) -> int:
    return int(await bench.pool.fetchval("SELECT seen_escalations_v1 FROM notifier.request WHERE request_id = $1", request_id))


async def test_what_an_operator_settled_since_stays_settled(
    bench: Bench, database: str, empty_log: KafkaServer, mine: list[UUID]
) -> None:
    """A record that was parked before, and replayed after a repair; one that never came, and was given up."""
    await publish(empty_log, added(1, "poison", mine[0]), added(2, "late", mine[1]))
    async with relaying(bench, database, empty_log), consuming(bench, empty_log):
        await until(lambda: has(Parking(bench.shell).list_open(Choice(request_id=mine[0])), 1))
        await until(lambda: has(Parking(bench.shell).list_open(Choice(request_id=mine[1])), 1))
        await until(lambda: is_zero(pending(bench)))
        await remember(bench.pool)
        Faults.poison = frozenset()
        await Parking(bench.shell).replay(Choice(request_id=mine[0]), lambda _done, _all: None)
        await Parking(bench.shell).skip_missing(mine[1], "requests.v1")
        await until(lambda: is_zero(pending(bench)))
    before = await states(bench)
    await restore(bench.pool)

    done = await reconcile(bench, empty_log)

    assert (done.events, done.skipped) == (2, 1)
    assert await states(bench) == before
    assert await Parking(bench.shell).list_open(Choice()) == []
    assert not (await Rebuild(bench.shell, empty_log.bootstrap, quiet).check()).differences


async def test_what_waited_to_be_published_and_was_is_not_published_again(
    bench: Bench, database: str, empty_log: KafkaServer, mine: list[UUID]
) -> None:
    await say(bench, mine[0], "a")
    await remember(bench.pool)
    async with relaying(bench, database, empty_log):
        await until(lambda: is_zero(pending(bench)))
    await restore(bench.pool)

    done = await reconcile(bench, empty_log)

    assert (done.events, done.published) == (0, 1)
    assert await pending(bench) == 0


async def test_numbers_that_were_given_anew_are_said_and_nothing_is_changed(
    bench: Bench, database: str, empty_log: KafkaServer, mine: list[UUID]
) -> None:
    await remember(bench.pool)
    await say(bench, mine[0], "a")
    async with relaying(bench, database, empty_log):
        await until(lambda: is_zero(pending(bench)))
    await restore(bench.pool)
    await say(bench, mine[0], "another")

    with pytest.raises(CannotRebuild, match="the log has another one"):
        await reconcile(bench, empty_log)


async def test_nothing_is_reconciled_under_a_running_service(bench: Bench, database: str, empty_log: KafkaServer) -> None:
    async with relaying(bench, database, empty_log) as relay:
        await until(lambda: equals(_leads(relay), True))
        with pytest.raises(CannotRebuild, match="is running"):
            await reconcile(bench, empty_log)


async def _leads(relay: object) -> bool:
    return bool(getattr(relay, "leads", False))
