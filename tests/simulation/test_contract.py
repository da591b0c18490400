"""One suite for the store in memory and the store on PostgreSQL: so that what is simulated is what runs."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Any
from uuid import UUID

import pytest

from shared.delivery.parking import Choice
from shared.delivery.store import Conflict, Position
from shared.delivery.values import Folded, Outgoing, Parked, RawRecord, Saved, Ticket
from shared.organisation import Authority
from tests.delivery.bench import SAVE_HEARD, Bench
from tests.delivery.sample import NOW, OTHER, REQUEST, Faults, added, warned
from tests.simulation.deeds import PLACE, Deeds
from tests.simulation.desk import TABLES, Desk, MemoryDesk, RealDesk
from tests.simulation.installations import shipped
from tests.simulation.quiet import CountedLog


@pytest.fixture(scope="module")
def authority() -> Authority:
    return shipped().authority("rivemont")


@pytest.fixture(autouse=True)
def faulty_again() -> Iterator[None]:
    yield
    Faults.poison = frozenset({"poison"})


@pytest.fixture(params=["memory", pytest.param("postgresql", marks=pytest.mark.integration)])
def dsn(request: pytest.FixtureRequest) -> str | None:
    """The database to run on; None for the memory."""
    return None if request.param == "memory" else str(request.getfixturevalue("database"))


@pytest.fixture
async def desk(dsn: str | None, authority: Authority) -> AsyncIterator[Desk]:
    if dsn is None:
        yield MemoryDesk(authority)
        return
    bench = await Bench.open(dsn, authority)
    yield RealDesk(bench)
    bench.pool.terminate()


def saved(
    revision: int = 1, request_id: UUID = REQUEST, *, state: bytes = b'{"heard":["a"]}', authority: str = "rivemont"
) -> Saved:
    return Saved(request_id, authority, revision, False, state, (1, 0, 0), (revision,))


def batch(*requests: Saved, **parts: Any) -> Folded[Any]:
    folded: Folded[Any] = Folded(saved=list(requests), **parts)
    return folded


def outgoing(sequence: int, request_id: UUID = REQUEST) -> Outgoing:
    return Outgoing(request_id, "notifications.v1", b"k", sequence, "fr.a.v1", NOW, None, b"{}")


def parked(raw: RawRecord, why: Any = "poison", *, sequence: int | None = 2) -> Parked:
    return Parked(raw, why, "because", "an id", REQUEST, "rivemont", sequence)


async def keep(desk: Desk, folded: Folded[Any], positions: dict[Any, int] | None = None) -> None:
    async with desk.shell.pool.acquire() as connection, connection.transaction():
        await desk.shell.store.save(connection, folded, positions or {})


async def load(desk: Desk, *ids: UUID) -> dict[UUID, Any]:
    async with desk.shell.pool.acquire() as connection, connection.transaction():
        return await desk.shell.store.load(connection, ids)


async def everything(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    return {table: await desk.rows(table) for table in TABLES}


async def test_what_is_saved_is_loaded(desk: Desk) -> None:
    await keep(desk, batch(saved(), rows={SAVE_HEARD: [(REQUEST, "a")]}))
    known = await load(desk, REQUEST, OTHER)
    assert list(known) == [REQUEST]
    one = known[REQUEST]
    assert (one.state.heard, one.revision, one.seen, one.sent, one.held) == (("a",), 1, [1, 0, 0], [1], False)
    assert await desk.rows("heard") == [{"request_id": REQUEST, "text": "a"}]


async def test_no_authority_leaves_the_one_that_was(desk: Desk) -> None:
    await keep(desk, batch(saved()))
    await keep(desk, batch(saved(2, authority="")))
    assert [(row["authority"], row["revision"]) for row in await desk.rows("request")] == [("rivemont", 2)]


@pytest.mark.parametrize("revision", [1, 3])
async def test_a_request_that_changed_meanwhile_keeps_the_whole_batch_out(desk: Desk, revision: int) -> None:
    await keep(desk, batch(saved()))
    before = await everything(desk)
    late = batch(saved(request_id=OTHER), saved(revision), outbox=[outgoing(1)], tickets=[(Ticket("s", "1"), OTHER)])
    with pytest.raises(Conflict):
        await keep(desk, late, {PLACE: 7})
    assert await everything(desk) == before


async def test_a_ticket_is_taken_once(desk: Desk) -> None:
    ticket = Ticket("page", "1", b"digest")
    await keep(desk, batch(saved(), tickets=[(ticket, REQUEST)]))
    with pytest.raises(Conflict):
        await keep(desk, batch(saved(request_id=OTHER), tickets=[(ticket, OTHER)]))
    async with desk.shell.pool.acquire() as connection:
        taken = await desk.shell.store.find_taken(connection, [ticket, Ticket("page", "2")])
    assert dict(taken) == {("page", "1"): (b"digest", REQUEST)}


async def test_what_fails_before_its_commit_leaves_nothing(desk: Desk) -> None:
    before = await everything(desk)
    with pytest.raises(ZeroDivisionError):
        async with desk.shell.pool.acquire() as connection, connection.transaction():
            await desk.shell.store.lock_positions(connection, [PLACE], logs={})
            await desk.shell.store.save(connection, batch(saved(), outbox=[outgoing(1)]), {PLACE: 3})
            raise ZeroDivisionError
    assert await everything(desk) == before


async def test_positions_begin_at_zero_and_move_with_their_batch(desk: Desk) -> None:
    async with desk.shell.pool.acquire() as connection, connection.transaction():
        places = [PLACE, ("handling.v1", 1)]
        assert await desk.shell.store.lock_positions(connection, places, logs={}) == dict.fromkeys(places, Position(0))
        await desk.shell.store.save(connection, batch(), {PLACE: 5})
    async with desk.shell.pool.acquire() as connection:
        assert (await desk.shell.store.find_positions(connection))[PLACE] == 5


async def test_a_position_is_moved_only_from_where_it_was_seen(desk: Desk) -> None:
    await keep(desk, batch(), {PLACE: 5})
    assert not await desk.shell.positions.move(PLACE, 0, seen=4)
    assert await desk.shell.positions.move(PLACE, 0, seen=5)
    assert await desk.shell.positions.move(("handling.v1", 3), 2, seen=0)
    assert (await desk.shell.positions.find()) == {PLACE: 0, ("handling.v1", 3): 2}


async def test_positions_in_another_log_go_back_and_what_was_fetched_from_the_old_one_is_not_taken(desk: Desk) -> None:
    """Given a replica that has records of a lost log in its hands, it takes none of them for the new one's."""
    old, new = UUID(int=1), UUID(int=2)
    await desk.shell.take({PLACE: [added(1, "a", offset=0), added(2, "b", offset=1)]}, logs={"requests.v1": old})
    assert await desk.shell.positions.turn_back_replaced({"requests.v1": old}) == {}
    assert await desk.shell.positions.turn_back_replaced({"requests.v1": new}) == {PLACE: 2}
    assert await desk.shell.positions.turn_back_replaced({"requests.v1": new}) == {}
    again = {PLACE: [added(1, "a", offset=0)]}
    assert await desk.shell.take(again, logs={"requests.v1": new}) == {}
    stuck = {PLACE: [added(3, "c", offset=1), added(4, "d", offset=2)]}
    assert await desk.shell.take(stuck, logs={"requests.v1": old}) == {PLACE: 1}
    assert (await desk.shell.positions.find()) == {PLACE: 1}
    assert await desk.shell.take(stuck, logs={}) == {}, "of a log that nobody knows: as before"


async def test_a_log_that_is_lost_after_its_first_batch_is_told_from_the_next(desk: Desk) -> None:
    """Given a partition whose log nobody has noted yet, its first batch does: what a new log holds there is not passed over."""
    old, new = UUID(int=1), UUID(int=2)
    await desk.shell.take({PLACE: [added(1, "a", offset=0), added(2, "b", offset=1)]}, logs={"requests.v1": old})
    assert await desk.shell.positions.turn_back_replaced({"requests.v1": new}) == {PLACE: 2}


async def test_the_outbox_has_the_order_of_the_batches(desk: Desk) -> None:
    await keep(desk, batch(saved(), outbox=[outgoing(1), outgoing(2)], parked=[parked(added(2, "x", offset=4))]))
    await keep(desk, batch(saved(2), outbox=[outgoing(3)]))
    rows = await desk.rows("outbox")
    assert [row["sequence"] for row in rows] == [1, 2, None, 3]
    assert rows[2]["topic"] == "requests.v1.notifier.dlq"
    assert (await desk.shell.positions.find_progress())[1]


async def test_a_record_is_parked_once_for_its_place(desk: Desk) -> None:
    raw = added(2, "x", offset=4)
    await keep(desk, batch(parked=[parked(raw)]))
    async with desk.shell.pool.acquire() as connection, connection.transaction():
        assert await desk.shell.store.parked.drop_known(connection, [parked(raw)]) == []
    await keep(desk, batch(parked=[parked(raw)]))
    assert [(row["offset"], row["why"]) for row in await desk.rows("parked")] == [(4, "poison")]


async def test_another_record_at_the_place_of_a_parked_one_makes_it_give_way(desk: Desk) -> None:
    await keep(desk, batch(parked=[parked(added(2, "x", offset=4))]))
    other = parked(added(3, "y", offset=4), sequence=3)
    async with desk.shell.pool.acquire() as connection, connection.transaction():
        assert await desk.shell.store.parked.drop_known(connection, [other]) == [other]
        await desk.shell.store.save(connection, batch(parked=[other]), {})
    assert [(row["offset"], row["sequence"]) for row in await desk.rows("parked")] == [(-5, 2), (4, 3)]


async def test_a_settled_record_that_is_needed_again_is_opened_again(desk: Desk) -> None:
    raw = added(2, "x", offset=4)
    await keep(desk, batch(saved(), parked=[parked(raw)]))
    await keep(desk, batch(saved(2), released={1: "taken"}))
    async with desk.shell.pool.acquire() as connection, connection.transaction():
        assert await desk.shell.store.parked.drop_known(connection, [parked(raw, "gap")]) == []
    assert [(row["why"], row["settled"], row["resolution"]) for row in await desk.rows("parked")] == [("gap", False, None)]


@pytest.mark.parametrize("choice", [Choice(), Choice(ids=(1,))], ids=["all", "what hid it alone"])
async def test_a_gap_that_something_parked_hid_is_told_once_that_is_taken(desk: Desk, choice: Choice) -> None:
    told: Counter[tuple[str, str]] = Counter()
    desk.shell.log = CountedLog("notifier", told)
    await desk.shell.take({PLACE: [added(1, "poison", offset=0), added(3, "c", offset=1)]})
    assert [row["why"] for row in await desk.rows("parked")] == ["poison", "waiting"]
    Faults.poison = frozenset()
    await desk.parking.replay(choice, lambda _done, _all: None)
    assert told["notifier", "delivery.gap_behind"] == 1
    assert [row["why"] for row in await desk.rows("parked") if not row["settled"]] == ["gap"]


async def test_what_is_parked_of_a_held_request_waits_in_the_order_of_its_sequence(desk: Desk) -> None:
    held = saved()._replace(held=True)
    waiting = [parked(added(n, "x", offset=n), "gap", sequence=n) for n in (4, 3)]
    await keep(desk, batch(held, parked=[*waiting, parked(warned(2, offset=2), "gap")]))
    await keep(desk, batch(held._replace(revision=2), relabelled=[(1, "waiting", "it waits")]))
    known = (await load(desk, REQUEST))[REQUEST]
    assert [(one.id, one.topic, one.sequence, one.why) for one in known.waiting] == [
        (3, "escalations.v1", 2, "gap"),
        (2, "requests.v1", 3, "gap"),
        (1, "requests.v1", 4, "waiting"),
    ]


async def test_what_is_released_waits_no_more(desk: Desk) -> None:
    held = saved()._replace(held=True)
    await keep(desk, batch(held, parked=[parked(added(3, "x", offset=3), "gap", sequence=3)]))
    await keep(desk, batch(held._replace(revision=2), released={1: "replaced"}))
    assert (await load(desk, REQUEST))[REQUEST].waiting == []
    assert [(row["settled"], row["resolution"]) for row in await desk.rows("parked")] == [(True, "replaced")]


async def test_a_replica_that_halted_says_why_until_it_goes_on(desk: Desk) -> None:
    tell = desk.shell.positions.tell_halted
    for instance, why in (("notifier-0", "a flood"), ("notifier-1", "a flood"), ("notifier-0", "another one")):
        await tell(instance, why)
    assert await desk.rows("halt") == [
        {"instance": "notifier-0", "why": "another one"},
        {"instance": "notifier-1", "why": "a flood"},
    ]
    await tell("notifier-0", None)
    await tell("notifier-2", None)
    assert await desk.rows("halt") == [{"instance": "notifier-1", "why": "a flood"}]


async def test_the_limit_counts_what_the_service_should_have_taken(desk: Desk) -> None:
    reasons = ("poison", "undecodable", "gap", "waiting", "refused")
    await keep(desk, batch(parked=[parked(added(n, "x", offset=n), why) for n, why in enumerate(reasons)]))
    async with desk.shell.pool.acquire() as connection:
        count = desk.shell.store.parked.count_last_minute
        assert await count(connection, ["requests.v1"]) == 3
        assert await count(connection, ["handling.v1"]) == 0


# --- two at once ------------------------------------------------------------------------------------------------------


async def test_who_comes_second_waits_for_the_row_and_sees_what_the_first_left(desk: Desk) -> None:
    await keep(desk, batch(saved()))

    async def first() -> None:
        async with desk.shell.pool.acquire() as connection, connection.transaction():
            await desk.shell.store.load(connection, [REQUEST])
            await desk.rest()
            await desk.shell.store.save(connection, batch(saved(2)), {})
            await desk.rest()

    async def second() -> int:
        await desk.rest()
        return int((await load(desk, REQUEST))[REQUEST].revision)

    assert await desk.side_by_side(first(), second()) == [None, 2]


async def test_of_two_who_create_one_request_the_second_conflicts(desk: Desk) -> None:
    async def create(state: bytes) -> None:
        async with desk.shell.pool.acquire() as connection, connection.transaction():
            await desk.shell.store.save(connection, batch(saved(state=state)), {})
            await desk.rest()

    outcomes = await desk.side_by_side(create(b'{"heard":["a"]}'), create(b'{"heard":["b"]}'))
    assert sorted(type(one).__name__ for one in outcomes) == ["Conflict", "NoneType"]
    assert [row["revision"] for row in await desk.rows("request")] == [1]


async def test_two_who_have_the_same_records_take_them_once(desk: Desk) -> None:
    records = {PLACE: [added(1, "a", offset=0), added(2, "b", offset=1)]}
    assert await desk.side_by_side(desk.shell.take(records), desk.shell.take(records)) == [{}, {}]
    assert [row["revision"] for row in await desk.rows("request")] == [1]
    assert (await desk.shell.positions.find()) == {PLACE: 2}


# --- the same batches through both ------------------------------------------------------------------------------------


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(6))
async def test_any_batches_end_in_equal_tables(seed: int, database: str, authority: Authority) -> None:
    """Given the same records, clicks, repetitions, replays and skips, both shells end with the same rows."""
    bench = await Bench.open(database, authority)
    desks: list[Desk] = [MemoryDesk(authority), RealDesk(bench)]
    deeds = Deeds(Random(f"contract {seed}"))
    try:
        for step in range(60):
            deed = deeds.draw()
            outcomes = [await deed(desk) for desk in desks]
            assert outcomes[0] == outcomes[1], f"step {step}"
            if step % 10 == 9:
                for table in TABLES:
                    memory, real = [await desk.rows(table) for desk in desks]
                    assert memory == real, f"{table} after step {step}"
    finally:
        bench.pool.terminate()
