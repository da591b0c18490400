"""States made anew from the log: the same bytes, whatever an operator did meanwhile."""

import uuid
from typing import Any
from uuid import UUID

import pytest

from deploy.local.kafka import KafkaServer
from shared.delivery.parking import Choice, Parking
from shared.delivery.rebuild import CannotRebuild, Rebuild
from tests.delivery.bench import Bench
from tests.delivery.log import consuming, equals, has, is_zero, pending, publish, relaying, say, until
from tests.delivery.sample import Faults, added, warned

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def quiet(_what: str, _done: int, _all: int) -> None:
    """Tell nobody."""


@pytest.fixture
async def lived(bench: Bench, database: str, empty_log: KafkaServer) -> list[UUID]:
    """Requests with a past: read, said, warned, parked, skipped, given up. The service is stopped."""
    mine = [uuid.uuid4() for _ in range(8)]
    for request_id in mine[:4]:
        await publish(empty_log, added(1, "a", request_id), warned(1, request_id), added(2, "b", request_id))
    await publish(empty_log, added(1, "poison", mine[4]), added(2, "b", mine[4]), added(1, "poison", mine[5]))
    await publish(empty_log, added(2, "late", mine[6]), added(1, "last", mine[7]))
    async with relaying(bench, database, empty_log), consuming(bench, empty_log):
        await until(lambda: equals(bench.heard(mine[7]), ("last",)))
        await until(lambda: equals(bench.heard(mine[3]), ("a", "b")))
        await until(lambda: has(Parking(bench.shell).list_open(Choice(request_id=mine[6])), 1))
        await until(lambda: has(Parking(bench.shell).list_open(Choice(request_id=mine[5])), 1))
        await until(lambda: has(Parking(bench.shell).list_open(Choice(request_id=mine[4])), 2))
        await say(bench, mine[0], "by hand")
        first = (await Parking(bench.shell).list_open(Choice(request_id=mine[4])))[0]
        await Parking(bench.shell).skip(Choice(ids=(first.id,)), lambda _done, _all: None)
        await Parking(bench.shell).skip_missing(mine[6], "requests.v1")
        await until(lambda: is_zero(pending(bench)))
    return mine


async def _rows(bench: Bench) -> list[tuple[Any, ...]]:
    rows = [tuple(row) for row in await bench.pool.fetch("SELECT * FROM notifier.heard ORDER BY 1")]
    columns = "request_id, authority, held, state, seen_requests_v1, seen_escalations_v1, sent_notifications_v1"
    return rows + [tuple(row) for row in await bench.pool.fetch(f"SELECT {columns} FROM notifier.request ORDER BY 1")]


async def test_a_rebuild_gives_the_same_states_bit_for_bit(bench: Bench, empty_log: KafkaServer, lived: list[UUID]) -> None:
    before, position = await _rows(bench), await bench.pool.fetch("SELECT * FROM notifier.position ORDER BY 1, 2")

    checked = await Rebuild(bench.shell, empty_log.bootstrap, quiet).check()
    written = await Rebuild(bench.shell, empty_log.bootstrap, quiet).write()

    assert checked.differences == written.differences == []
    assert checked.requests == checked.equal >= len(lived)
    assert await _rows(bench) == before
    assert await bench.pool.fetch("SELECT * FROM notifier.position ORDER BY 1, 2") == position


async def test_a_damaged_state_is_found_and_mended(bench: Bench, empty_log: KafkaServer, lived: list[UUID]) -> None:
    before = await _rows(bench)
    await bench.pool.execute(
        "UPDATE notifier.request SET state = 'null', sent_notifications_v1 = 0 WHERE request_id = $1", lived[0]
    )
    await bench.pool.execute("UPDATE notifier.request SET seen_escalations_v1 = 7 WHERE request_id = $1", lived[1])
    await bench.pool.execute("DELETE FROM notifier.request WHERE request_id = $1", lived[2])
    await bench.pool.execute("DELETE FROM notifier.heard")

    found = await Rebuild(bench.shell, empty_log.bootstrap, quiet).check()
    await Rebuild(bench.shell, empty_log.bootstrap, quiet).write()

    assert {(one.request_id, one.parts) for one in found.differences} == {
        (lived[0], ("state", "sent")),
        (lived[1], ("seen",)),
        (lived[2], ("state", "seen", "sent")),
    }
    assert await _rows(bench) == before


async def test_the_service_goes_on_after_a_rebuild(bench: Bench, empty_log: KafkaServer, lived: list[UUID]) -> None:
    await Rebuild(bench.shell, empty_log.bootstrap, quiet).write()
    Faults.poison = frozenset()

    await Parking(bench.shell).replay(Choice(request_id=lived[5]), lambda _done, _all: None)
    await publish(empty_log, added(3, "c", lived[0]))
    async with consuming(bench, empty_log):
        await until(lambda: equals(bench.heard(lived[0]), ("a", "b", "c")))

    assert await bench.heard(lived[5]) == ("poison",)


async def test_nothing_is_replaced_under_a_running_service(bench: Bench, database: str, empty_log: KafkaServer) -> None:
    async with relaying(bench, database, empty_log):
        await say(bench, uuid.uuid4(), "a")
        await until(lambda: is_zero(pending(bench)))

        with pytest.raises(CannotRebuild, match="is running"):
            await Rebuild(bench.shell, empty_log.bootstrap, quiet).write()


async def test_nothing_is_replaced_while_events_wait_to_be_published(bench: Bench, empty_log: KafkaServer) -> None:
    await say(bench, uuid.uuid4(), "a")

    with pytest.raises(CannotRebuild, match="not published yet"):
        await Rebuild(bench.shell, empty_log.bootstrap, quiet).write()
