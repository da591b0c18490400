"""What the statistics count, with plain values."""

from datetime import UTC, date, datetime

import pytest
from pydantic import BaseModel, ValidationError

from services.stats.domain.facts import Facts
from services.stats.service import STATS
from services.stats.store import ADD_DURATION, DROP_EMPTY_CELL, MOVE_CELL, amounts_of, project
from shared.delivery.service import StateCodec, Statement
from shared.events.requests import RequestReceived
from tests.stats.log import Request, request_id


def after(*events: BaseModel) -> Facts | None:
    facts: Facts | None = None
    for event in events:
        facts = STATS.evolve(facts, event)
    return facts


def test_a_request_counts_for_the_first_service_and_what_is_done_for_who_did_it() -> None:
    one = Request(1, service="voirie")
    facts = after(one.received(), one.assigned(), one.transferred("urbanisme"), one.taken(minutes=90), one.answered())

    assert amounts_of(facts) == {
        ("voirie", "received"): 1,
        ("voirie", "transferred"): 1,
        ("urbanisme", "taken_in_charge"): 1,
        ("urbanisme", "within_promise"): 1,
        ("urbanisme", "answered"): 1,
    }
    assert facts and facts.spans["taken_in_charge"].minutes == 90


def test_a_closed_request_counts_for_its_last_owner() -> None:
    one = Request(1)
    facts = after(one.received(), one.assigned(), one.taken(late=True), one.resolved())

    assert amounts_of(facts) == {("voirie", measure): 1 for measure in ("received", "taken_in_charge", "resolved")}


def test_only_the_first_taking_in_charge_is_measured() -> None:
    one = Request(1)
    facts = after(one.received(), one.assigned(), one.taken(minutes=10), one.resolved(), one.reopened(), one.taken(minutes=999))

    assert facts and facts.spans["taken_in_charge"].minutes == 10
    assert amounts_of(facts)["voirie", "taken_in_charge"] == 1
    assert amounts_of(facts)["voirie", "reopened"] == 1


def test_the_inner_clock_of_unowned_requests_is_no_missed_promise() -> None:
    one = Request(1)
    facts = after(one.received(), one.missed("unowned"), one.assigned(), one.missed(), one.raised(1))

    assert amounts_of(facts) == {
        ("voirie", "received"): 1,
        ("", "unowned"): 1,
        ("voirie", "missed"): 1,
        ("voirie", "overdue"): 1,
        ("voirie", "escalated_1"): 1,
    }


def test_what_nobody_took_in_charge_in_time_is_overdue_for_its_owner_until_it_is_taken_or_closed() -> None:
    one = Request(1, service="voirie")
    waiting = after(one.received(), one.missed(), one.assigned(), one.transferred("urbanisme"))
    taken = STATS.evolve(waiting, one.taken(late=True))

    assert waiting and taken
    assert ("urbanisme", "overdue") in amounts_of(waiting)
    assert ("voirie", "overdue") not in amounts_of(waiting)
    assert list(project(request_id(1), waiting, taken))[1:3] == [
        (MOVE_CELL, ("rivemont", date(2026, 11, 23), "urbanisme", "web", "", "overdue", -1)),
        (DROP_EMPTY_CELL, ("rivemont", date(2026, 11, 23), "urbanisme", "web", "", "overdue")),
    ]
    for closed in (one.withdrawn(), one.resolved()):
        assert ("urbanisme", "overdue") not in amounts_of(STATS.evolve(waiting, closed))


def test_a_request_taken_before_the_sla_heard_of_it_is_not_overdue() -> None:
    one = Request(1)

    assert ("voirie", "overdue") not in amounts_of(after(one.received(), one.assigned(), one.taken(), one.missed()))
    assert ("voirie", "overdue") not in amounts_of(after(one.received(), one.missed("unowned"), one.assigned()))


def test_an_erased_request_stays_counted() -> None:
    one = Request(1)

    assert after(one.received(), one.assigned(), one.erased()) == after(one.received(), one.assigned())


def test_nothing_is_counted_before_the_receipt_is_known_and_everything_after() -> None:
    one = Request(1)
    life = (one.registered(), one.assigned(), one.taken(minutes=5))

    before, now = after(*life), after(*life, one.received())

    assert list(project(request_id(1), None, before)) == []
    written = {statement.name for statement, _ in project(request_id(1), before, now)}
    assert written == {MOVE_CELL.name, ADD_DURATION.name}


def test_a_receipt_moves_to_the_service_that_gets_the_request_and_leaves_no_empty_cell() -> None:
    one = Request(1)
    before, now = after(one.received()), after(one.received(), one.assigned())

    key = ("web", "", "received")
    place = ("rivemont", date(2026, 11, 23))
    assert list(project(request_id(1), before, now)) == [
        (MOVE_CELL, (*place, "voirie", *key, 1)),
        (MOVE_CELL, (*place, "", *key, -1)),
        (DROP_EMPTY_CELL, (*place, "", *key)),
    ]


@pytest.mark.parametrize("statement", [MOVE_CELL, DROP_EMPTY_CELL, ADD_DURATION])
def test_replicas_that_meet_in_cells_take_them_in_one_order_and_wait_in_no_circle(statement: Statement) -> None:
    rows = [("rivemont", service, 1) for service in ("voirie", "ccas", "urbanisme", "maire", "accueil")]
    assert statement.combine is not None

    assert statement.combine(rows) == statement.combine(rows[::-1]) == sorted(rows)


def test_the_day_is_the_authoritys_and_utc_where_a_producer_does_not_say() -> None:
    told = Request(1).received().model_dump(mode="json") | {"at": "2026-11-24T00:30:00+01:00"}

    assert RequestReceived.model_validate(told | {"received_on": "2026-11-24"}).received_on == date(2026, 11, 24)
    del told["received_on"]
    assert RequestReceived.model_validate(told).received_on == datetime(2026, 11, 23, 23, 30, tzinfo=UTC).date()
    with pytest.raises(ValidationError, match="at"):
        RequestReceived.model_validate(told | {"at": "yesterday"})


def test_facts_survive_being_stored() -> None:
    codec: StateCodec[Facts] = StateCodec(Facts)
    one = Request(1)
    facts = after(one.received(), one.assigned(), one.taken(), one.resolved(), one.mail(), one.failed_mail())

    assert codec.decode(codec.encode(facts)) == facts
