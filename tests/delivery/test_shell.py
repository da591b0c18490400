"""The shell on a real PostgreSQL: places in the log, twins, what the database refuses, what is kept of parked records."""

import asyncio
import random
import uuid

import pytest
from prometheus_client import REGISTRY

from deploy.local.postgres import PostgresServer
from shared.delivery.errors import UNAVAILABLE, TooManyParked, Unavailable
from shared.delivery.parking import Choice, Parking, rewind
from shared.delivery.shell import RefusedByDatabase
from shared.delivery.values import Input, RawRecord, Ticket
from shared.events.envelope import MAX_VALUE_BYTES
from shared.organisation import Authority
from tests.delivery.bench import PLACE, Bench
from tests.delivery.sample import OTHER, REQUEST, Say, added, warned

pytestmark = pytest.mark.integration
AWAY: tuple[type[Exception], ...] = (Unavailable, *UNAVAILABLE)
"""From the shell, or from a query of the test itself."""


# --- the place in the log ------------------------------------------------------------------------------------------------


async def test_records_below_the_position_were_taken_and_are_dropped(bench: Bench) -> None:
    records = [added(n, f"t{n}", offset=n - 1) for n in (1, 2, 3)]
    await bench.shell.take({PLACE: records[:2]})

    assert await bench.shell.take({PLACE: records}) == {}

    assert await bench.heard(REQUEST) == ("t1", "t2", "t3")
    assert await bench.position() == 3
    assert await bench.said() == [(REQUEST, 1), (REQUEST, 2), (REQUEST, 3)]


async def test_a_jump_is_told_and_nothing_of_it_is_taken(bench: Bench) -> None:
    await bench.take(added(1, "a"))

    behind = await bench.shell.take({PLACE: [added(3, "c", offset=2)], ("escalations.v1", 0): [warned(1, offset=0)]})

    assert behind == {PLACE: 1}
    assert await bench.position() == 1
    notes = await bench.shell.find_state(REQUEST)
    assert notes is not None
    assert (notes.heard, len(notes.warned)) == (("a",), 1)


async def test_what_became_of_each_record_is_counted(bench: Bench) -> None:
    def counted() -> list[float]:
        outcomes = [{"service": "notifier", "outcome": outcome} for outcome in ("done", "duplicate", "parked", "failed")]
        return [REGISTRY.get_sample_value("aiguilleur_consumed_total", labels) or 0 for labels in outcomes]

    before = counted()

    await bench.take(added(1, "a"), added(1, "a"), added(2, "b"), added(4, "d"))

    assert [after - earlier for after, earlier in zip(counted(), before, strict=True)] == [2, 1, 1, 0]


async def test_twins_on_the_same_rows_take_everything_once(bench: Bench, authority: Authority) -> None:
    requests = [uuid.uuid4() for _ in range(20)]
    log = [added(sequence, f"t{sequence}", request) for sequence in range(1, 6) for request in requests]
    log = [raw._replace(offset=offset) for offset, raw in enumerate(log)]
    twins = [bench, Bench(bench.pool, authority), Bench(bench.pool, authority)]

    async def read(twin: Bench, seed: int) -> None:
        chance, at = random.Random(seed), 0
        while at < len(log):
            size = chance.randint(1, 30)
            behind = await twin.shell.take({PLACE: log[at : at + size]})
            at = behind.get(PLACE, at + size)

    await asyncio.gather(*(read(twin, seed) for seed, twin in enumerate(twins)))

    assert await bench.position() == len(log)
    assert sorted(await bench.said()) == sorted((request, n) for request in requests for n in range(1, 6))
    assert await bench.parked() == []
    for request in requests:
        assert await bench.heard(request) == ("t1", "t2", "t3", "t4", "t5")


async def test_twins_park_an_unreadable_first_record_once(bench: Bench, authority: Authority) -> None:
    garbage = RawRecord("requests.v1", 0, 0, None, (), b"{")
    twins = [Bench(bench.pool, authority) for _ in range(3)]

    await asyncio.gather(*(twin.shell.take({PLACE: [garbage]}) for twin in twins))

    assert await bench.parked() == [(None, "undecodable", None)]


# --- local inputs --------------------------------------------------------------------------------------------------------


async def test_a_local_input_and_the_log_change_one_request_without_losing_either(bench: Bench) -> None:
    inputs = [Input(REQUEST, "rivemont", Say(f"l{n}"), ticket=Ticket("page", str(n))) for n in range(20)]

    await asyncio.gather(
        bench.take(*(added(n, f"t{n}") for n in range(1, 21))), *(bench.shell.run([one], lane="local") for one in inputs)
    )

    assert sorted(await bench.said()) == [(REQUEST, n) for n in range(1, 41)]


async def test_a_ticket_is_taken_once_by_two_processes(bench: Bench, authority: Authority) -> None:
    twins = [bench, Bench(bench.pool, authority)]
    inputs = [Input(uuid.uuid4(), "rivemont", Say("a"), ticket=Ticket("form", "1", b"x")) for _ in twins]

    results = await asyncio.gather(*(twin.shell.run([one], lane="local") for twin, one in zip(twins, inputs, strict=True)))

    assert sorted(result.kind for (result,) in results) == ["done", "duplicate"]
    assert len({result.request_id for (result,) in results}) == 1


# --- what the database refuses -------------------------------------------------------------------------------------------


async def test_values_that_postgresql_refuses_are_charged_to_their_record(bench: Bench) -> None:
    await bench.take(added(1, "a"), added(2, "NUL"), added(3, "c"), added(1, "x", OTHER))

    assert await bench.parked() == [(2, "poison", None), (3, "waiting", None)]
    assert await bench.heard(REQUEST) == ("a",)
    assert await bench.heard(OTHER) == ("x",)
    assert await bench.position() == 4


async def test_a_record_is_not_charged_with_the_values_of_its_successor(bench: Bench) -> None:
    await bench.take(added(2, "NUL"), added(3, "c"))

    await bench.take(added(1, "a"))

    assert await bench.heard(REQUEST) == ("a",)
    assert await bench.parked() == [(2, "poison", None), (3, "gap", None)]


async def test_a_local_input_that_postgresql_refuses_fails_alone(bench: Bench) -> None:
    bad = Input(REQUEST, "rivemont", Say("a"), ticket=Ticket("page", "nul\0"))
    good = Input(OTHER, "rivemont", Say("b"))

    failed, done = await bench.shell.run([bad, good], lane="local")

    assert isinstance(failed.error, RefusedByDatabase)
    assert done.kind == "done"


@pytest.mark.parametrize("name", ["ce_id", "ce_source", "ce_sequence", "traceparent", "x-other"])
@pytest.mark.parametrize("value", [b"a\x00b", b"x" * 4000, b"\xff", "١".encode(), b"-1", b"0", b"99999999999"])
async def test_no_header_stops_the_log(bench: Bench, name: str, value: bytes) -> None:
    raw = added(1, "a")
    headers = tuple((told, value if told == name else kept) for told, kept in raw.headers)
    odd = raw._replace(headers=headers if name in dict(headers) else (*headers, (name, value)))

    await bench.take(odd, added(1, "x", OTHER))

    assert await bench.position() == 2
    assert await bench.heard(OTHER) == ("x",)


# --- parked --------------------------------------------------------------------------------------------------------------


async def test_too_much_to_park_changes_nothing(database: str, authority: Authority) -> None:
    bench = await Bench.open(database, authority, parked_limit=3)
    bad = [added(1, "poison", uuid.uuid4()) for _ in range(4)]

    with pytest.raises(TooManyParked):
        await bench.take(added(1, "a"), *bad)

    assert (await bench.parked(), await bench.position()) == ([], 0)
    await bench.take(added(1, "a"), *bad[:3])
    assert len(await bench.parked()) == 3
    bench.pool.terminate()


async def test_what_is_read_again_is_not_parked_again_nor_counted_nor_copied(database: str, authority: Authority) -> None:
    bench = await Bench.open(database, authority, parked_limit=2)
    garbage = [RawRecord("requests.v1", 0, 0, None, (), value) for value in (b"{", b"[")]
    await bench.take(*garbage)
    await Parking(bench.shell).skip(Choice(), lambda _done, _all: None)
    before = await bench.parked()

    await rewind(bench.pool, "notifier")
    await bench.take(*garbage, added(1, "a"))

    assert await bench.parked() == before == [(None, "undecodable", "skipped")] * 2
    assert await bench.pool.fetchval("SELECT count(*) FROM notifier.outbox WHERE topic LIKE '%.dlq'") == 2
    assert await bench.heard(REQUEST) == ("a",)
    bench.pool.terminate()


async def test_garbage_at_the_same_place_of_another_log_is_parked(bench: Bench) -> None:
    await bench.take(RawRecord("requests.v1", 0, 0, None, (), b"{"))
    await rewind(bench.pool, "notifier")  # the topic was made anew

    await bench.take(RawRecord("requests.v1", 0, 0, None, (), b"another"))

    kept = await bench.pool.fetch('SELECT "offset", value FROM notifier.parked ORDER BY id')
    assert [tuple(row) for row in kept] == [(-1, b"{"), (0, b"another")]


async def test_a_parked_record_keeps_its_bytes_and_a_copy_goes_to_the_dead_letters(bench: Bench) -> None:
    raw = added(1, "poison")
    raw = raw._replace(headers=(*raw.headers, ("x-any", b"\xff\x00")))
    await bench.take(raw)

    row = await bench.pool.fetchrow("SELECT * FROM notifier.parked")
    copy = await bench.pool.fetchrow("SELECT * FROM notifier.outbox")

    assert row is not None
    assert copy is not None
    assert bench.shell.reader.read_parked(row) == raw
    assert (copy["topic"], copy["value"], copy["sequence"]) == ("requests.v1.notifier.dlq", raw.value, None)


async def test_the_copy_of_an_oversized_record_fits_into_kafka(bench: Bench) -> None:
    raw = added(1, "poison")
    await bench.take(raw._replace(value=b"x" * (MAX_VALUE_BYTES - 10), headers=(("x-long", b"h" * 140_000),)))

    copy = await bench.pool.fetchrow("SELECT * FROM notifier.outbox")

    assert copy is not None
    assert len(copy["value"]) + len(copy["headers"]) < MAX_VALUE_BYTES + 50_000


# --- the database away ---------------------------------------------------------------------------------------------------


async def test_a_restart_of_postgresql_loses_nothing(postgres_server: PostgresServer, bench: Bench) -> None:
    await bench.take(added(1, "a"))

    async def keep_taking() -> int:
        waited = 0
        for n in range(2, 12):
            while True:
                try:
                    await bench.take(added(n, f"t{n}"))
                    break
                except AWAY:
                    waited += 1
                    await asyncio.sleep(0.1)
            await asyncio.sleep(0.05)
        return waited

    taking = asyncio.create_task(keep_taking())
    await asyncio.sleep(0.1)
    await asyncio.to_thread(postgres_server.restart)

    assert await taking > 0
    assert await bench.heard(REQUEST) == ("a", *(f"t{n}" for n in range(2, 12)))
    assert await bench.said() == [(REQUEST, n) for n in range(1, 12)]
