"""Parked records in an operator's hands, on a real PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from shared import metrics
from shared.clock import SetClock
from shared.db.pool import open_pool
from shared.delivery.errors import InputRefused
from shared.delivery.housekeeping import tidy
from shared.delivery.parking import Choice, OutOfTurn, Parking, rewind
from shared.delivery.producer import Producer
from shared.delivery.relay import Relay
from shared.delivery.service import Service
from shared.delivery.shell import Shell
from shared.delivery.tables import create_v1
from shared.delivery.values import Input, RawRecord
from shared.events.envelope import Received
from shared.events.requests import InformationAdded
from shared.organisation import Authority
from shared.vault.seal import Vault
from tests.delivery.bench import KEYS, Bench
from tests.delivery.sample import NOW, OTHER, REQUEST, SAMPLE, Faults, Notes, Say, added

pytestmark = pytest.mark.integration


def quiet(_done: int, _all: int) -> None:
    """Tell nobody."""


@pytest.fixture
def parking(bench: Bench) -> Parking[Notes]:
    return Parking(bench.shell)


async def test_a_replay_by_reason_gives_the_end_state_that_would_have_been(bench: Bench, parking: Parking[Notes]) -> None:
    await bench.take(added(1, "a"), added(2, "poison"), added(3, "c"), added(1, "poison", OTHER))
    assert [(one.request_id, one.why) for one in await parking.list_open(Choice())] == [
        (REQUEST, "poison"),
        (REQUEST, "waiting"),
        (OTHER, "poison"),
    ]
    Faults.poison = frozenset()

    settled = await parking.replay(Choice(why="poison"), quiet)

    assert (settled.chosen, settled.settled, settled.left) == (2, 2, [])
    assert await parking.list_open(Choice()) == []
    assert await bench.heard(REQUEST) == ("a", "poison", "c")
    assert await bench.heard(OTHER) == ("poison",)
    assert [request for request, _ in await bench.said()].count(REQUEST) == 3


async def test_a_replay_by_request_leaves_the_others(bench: Bench, parking: Parking[Notes]) -> None:
    await bench.take(added(1, "poison"), added(2, "b"), added(1, "poison", OTHER))
    Faults.poison = frozenset()

    settled = await parking.replay(Choice(request_id=REQUEST), quiet)

    assert (settled.chosen, settled.settled) == (2, 2)
    assert [one.request_id for one in await parking.list_open(Choice())] == [OTHER]
    assert sorted(resolution or "" for _, _, resolution in await bench.parked()) == ["", "taken", "taken"]


async def test_what_cannot_be_taken_yet_stays_with_its_reason_of_today(bench: Bench, parking: Parking[Notes]) -> None:
    await bench.take(added(1, "poison"), added(2, "b"))

    settled = await parking.replay(Choice(), quiet)

    assert settled.settled == 0
    assert [(one.sequence, one.why) for one in settled.left] == [(1, "poison"), (2, "waiting")]


async def test_what_postgresql_refuses_stays_and_its_neighbours_are_settled(bench: Bench, parking: Parking[Notes]) -> None:
    await bench.take(added(1, "NUL"), added(1, "poison", OTHER))
    Faults.poison = frozenset()

    settled = await parking.replay(Choice(), quiet)

    assert (settled.chosen, settled.settled) == (2, 1)
    assert await bench.heard(OTHER) == ("poison",)


async def test_a_skip_passes_over_the_event_and_takes_what_waited(bench: Bench, parking: Parking[Notes]) -> None:
    await bench.take(added(1, "poison"), added(2, "b"))
    (first, _) = await parking.list_open(Choice())

    await parking.skip(Choice(ids=(first.id,)), quiet)

    assert await bench.heard(REQUEST) == ("b",)
    assert await bench.parked() == [(1, "poison", "skipped"), (2, "waiting", "taken")]


async def test_a_skip_out_of_turn_leaves_the_record(bench: Bench, parking: Parking[Notes]) -> None:
    await bench.take(added(1, "poison"), added(2, "b"))
    (_, second) = await parking.list_open(Choice())

    settled = await parking.skip(Choice(ids=(second.id,)), quiet)

    assert [one.id for one in settled.left] == [second.id]
    assert await bench.heard(REQUEST) == ()


async def test_garbage_without_a_place_is_skipped(bench: Bench, parking: Parking[Notes]) -> None:
    await bench.take(RawRecord("requests.v1", 0, 0, None, (), b"{"))

    await parking.skip(Choice(), quiet)

    assert await bench.parked() == [(None, "undecodable", "skipped")]


async def test_an_event_that_never_came_is_given_up_and_noted_down(bench: Bench, parking: Parking[Notes]) -> None:
    await bench.take(added(2, "b"), added(3, "c"))

    assert await parking.skip_missing(REQUEST, "requests.v1") == 1

    assert await bench.heard(REQUEST) == ("b", "c")
    assert await bench.parked() == [(2, "gap", "taken"), (3, "gap", "taken"), (1, "gap", "skipped")]
    with pytest.raises(OutOfTurn, match="nothing waits"):
        await parking.skip_missing(REQUEST, "requests.v1")


async def test_what_is_parked_is_not_given_up_as_missing(bench: Bench, parking: Parking[Notes]) -> None:
    await bench.take(added(1, "poison"), added(2, "b"))

    with pytest.raises(OutOfTurn, match="not missing but parked"):
        await parking.skip_missing(REQUEST, "requests.v1")


# --- a topic that is open to others, with personal data in clear ---------------------------------------------------------

INTAKE: Service[Notes] = Service(
    name="intake",
    state=Notes,
    decide=lambda _notes, say, context: (
        InformationAdded(request_id=context.request_id, authority="rivemont", at=NOW, sealed=say.letter),
    ),
    evolve=SAMPLE.evolve,
)


class Closed:
    """Whether the town takes requests."""

    now = True


def admit(_received: Received) -> Input:
    if Closed.now:
        raise InputRefused("no such town; replay this when it is configured")
    return Input(OTHER, "rivemont", Say("hello"))


def submitted(value: bytes, name: str = "1") -> RawRecord:
    told = {"specversion": "1.0", "type": "fr.aiguilleur.request.submitted.v1", "source": "/app", "id": name}
    headers = tuple((f"ce_{key}", text.encode()) for key, text in told.items())
    return RawRecord("intake.inbound.v1", 0, 0, b"any", headers, value)


@pytest.fixture
async def inbound(database: str, authority: Authority) -> AsyncIterator[Shell[Notes]]:
    pool = await open_pool(database, name="test")
    await pool.execute("CREATE SCHEMA intake")
    for statement in create_v1("intake", ("handling.v1", "escalations.v1"), ("requests.v1",)):
        await pool.execute(statement)
    yield _shell(pool, authority, Vault(KEYS))
    pool.terminate()


def _shell(pool: object, authority: Authority, vault: Vault | None) -> Shell[Notes]:
    given: dict[str, object] = {"pool": pool, "vault": vault, "admissions": {"intake.inbound.v1": admit}}
    return Shell(INTAKE, clock=SetClock(NOW), authority_of=lambda _code: authority, **given)  # type: ignore[arg-type]  # as given


_GOOD = b'{"authority": "rivemont", "text": "Camille Exemple, 12 rue des Tilleuls", "email": "camille@exemple.fr"}'


async def test_a_parked_value_in_clear_is_kept_encrypted_and_opens_for_who_has_the_keys(
    inbound: Shell[Notes], authority: Authority
) -> None:
    raw = submitted(b'{"Camille Exemple": 1}')
    await inbound.take({("intake.inbound.v1", 0): [raw]})

    dump = [tuple(row) for table in ("parked", "outbox") for row in await inbound.pool.fetch(f"SELECT * FROM intake.{table}")]
    found = await Parking(inbound).find(1)

    assert "Camille" not in str(dump)
    assert found is not None
    assert found[1] == raw
    with pytest.raises(RuntimeError, match="needs the vault's keys"):
        await Parking(_shell(inbound.pool, authority, None)).find(1)


async def test_a_flood_on_an_open_topic_stops_nobody(inbound: Shell[Notes]) -> None:
    flood = [submitted(b"{", str(n))._replace(offset=n) for n in range(150)]
    before = metrics.PARKED.labels("intake", "undecodable")._value.get()

    await inbound.take({("intake.inbound.v1", 0): flood})

    assert await inbound.pool.fetchval("SELECT next_offset FROM intake.position") == 150
    assert len(await Parking(inbound).list_open(Choice())) == 150
    assert metrics.PARKED.labels("intake", "undecodable")._value.get() == before + 150


async def test_hidden_records_are_not_parked_again_either(inbound: Shell[Notes]) -> None:
    place = ("intake.inbound.v1", 0)
    await inbound.take({place: [submitted(b'{"Camille Exemple": 1}')]})
    await rewind(inbound.pool, "intake")

    await inbound.take({place: [submitted(b'{"Camille Exemple": 1}')]})

    assert [one.offset for one in await Parking(inbound).list_open(Choice())] == [0]


async def test_parked_records_are_forgotten_in_time_and_personal_data_at_once_after_a_week(
    inbound: Shell[Notes],
) -> None:
    place = ("intake.inbound.v1", 0)
    await inbound.take({place: [submitted(b"{", str(n))._replace(offset=n) for n in range(4)]})
    at = "UPDATE intake.parked SET {} WHERE id = ANY($1::bigint[])"
    await inbound.pool.execute(at.format("parked_at = now() - interval '8 days'"), [1, 2])
    await inbound.pool.execute(at.format("resolved_at = now(), resolution = 'skipped'"), [2])
    await inbound.pool.execute(at.format("resolved_at = now() - interval '15 days', resolution = 'taken'"), [3])

    with capture_logs() as logged:
        await tidy(inbound, Relay("intake", dsn="", pool=inbound.pool, producer=Producer("", client_id="")))

    assert [row["id"] for row in await inbound.pool.fetch("SELECT id FROM intake.parked")] == [4]
    assert [(one["event"], one["log_level"], one["count"]) for one in logged] == [("housekeeping.unsettled_deleted", "error", 1)]


async def test_the_note_of_a_skipped_event_stays_for_rebuilds_without_what_it_held(bench: Bench, parking: Parking[Notes]) -> None:
    await bench.take(added(1, "poison"), added(2, "poison"))
    (first, _) = await parking.list_open(Choice())
    await parking.skip(Choice(ids=(first.id,)), quiet)
    await bench.pool.execute("UPDATE notifier.parked SET parked_at = now() - interval '99 days'")
    await bench.pool.execute("UPDATE notifier.parked SET resolved_at = now() - interval '15 days' WHERE resolved_at IS NOT NULL")

    await tidy(bench.shell, Relay("notifier", dsn="", pool=bench.pool, producer=Producer("", client_id="")))

    kept = await bench.pool.fetch("SELECT sequence, resolution, value IS NULL FROM notifier.parked ORDER BY id")
    assert [tuple(row) for row in kept] == [(1, "skipped", True), (2, None, False)]


async def test_an_unnumbered_record_is_decoded_and_taken_in_again(inbound: Shell[Notes], monkeypatch: pytest.MonkeyPatch) -> None:
    place = ("intake.inbound.v1", 0)
    await inbound.take({place: [submitted(_GOOD)]})
    await inbound.take({place: [submitted(_GOOD, "2")._replace(offset=1)]})
    assert [one.why for one in await Parking(inbound).list_open(Choice())] == ["refused", "refused"]
    monkeypatch.setattr(Closed, "now", False)

    settled = await Parking(inbound).replay(Choice(ids=(1,)), quiet)
    await inbound.take({place: [submitted(_GOOD)._replace(offset=2)]})  # the adapter sends it once more

    assert (settled.settled, settled.left) == (1, [])
    assert [one.id for one in await Parking(inbound).list_open(Choice())] == [2]
    notes = await inbound.find_state(OTHER)
    assert notes is not None
    assert notes.heard == ("hello",)
