"""Intake's step, with plain values."""

from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.intake.domain.announcement import announce
from services.intake.domain.command import AddInformation, AskReopening, Erase, SubmitRequest, Withdraw
from services.intake.domain.refusal import Refused
from services.intake.domain.request import TrackedRequest
from services.intake.domain.step import MOST_MESSAGES, decide, evolve
from services.intake.service import INTAKE
from services.intake.store import project
from shared.delivery.service import Context, StateCodec
from shared.events import escalations, handling, requests
from shared.events.inbound import Submission
from shared.organisation import load
from tests.intake.conftest import NOON, ORGANISATION

TOWN = load(ORGANISATION).authority("rivemont")
CODEC = StateCodec(TrackedRequest)


def submission(**changes: Any) -> Submission:
    told = {"authority": "rivemont", "service": "voirie", "email": "s@courriel.example", "text": "Bonjour"}
    return Submission(**(told | changes))


def command(context: Context, asked: Submission | None = None) -> SubmitRequest:
    announced = announce(asked or submission(), context.authority, context.now)
    return SubmitRequest(
        reference="K7M-2Q9-XC4",
        token_digest="0" * 64,
        channel="web",
        service="voirie",
        category=None,
        language="fr",
        demande=False,
        received_at=context.now,
        promise=announced.promise,
        unowned_due_at=announced.unowned_due_at,
        sealed="c2VhbGVk",
    )


def after(context: Context, *inputs: Any) -> TrackedRequest:
    state: TrackedRequest | None = None
    for one in inputs:
        state = INTAKE.step(
            state, one, context, fact=not isinstance(one, SubmitRequest | AddInformation | Withdraw | AskReopening | Erase)
        ).state
    assert state is not None
    return state


def life(context: Context, cls: type[handling.LifeEvent], status: Any, version: int, **told: Any) -> handling.LifeEvent:
    about = {"request_id": context.request_id, "authority": "rivemont", "at": context.now + timedelta(minutes=version)}
    return cls(**about, version=version, status=status, service="voirie", **told)


def late(context: Context, cls: type[escalations.EscalationEvent], **told: Any) -> escalations.EscalationEvent:
    return cls(request_id=context.request_id, authority="rivemont", at=NOON, due_at=NOON, **told)


def answered(context: Context) -> list[Any]:
    return [
        life(context, handling.RequestAssigned, "assigned", 2, reason="chosen"),
        life(context, handling.TakenInCharge, "in_charge", 3, received_at=NOON, due_at=NOON, elapsed_working_seconds=60),
        life(context, handling.RequestAnswered, "answered", 4, elapsed_working_seconds=120, sealed="YW5zd2Vy"),
    ]


def test_what_was_announced_is_in_the_event(context: Context) -> None:
    (event,) = decide(None, command(context), context)

    assert isinstance(event, requests.RequestReceived)
    assert event.promise.due_at == TOWN.calendar_of("voirie").due(NOON, 48 * 3600)
    assert (event.promise.calendar, event.promise.calendar_version) == ("technique", 4)
    assert event.unowned_due_at == TOWN.calendar_of("accueil").due(NOON, 30 * 60)


@pytest.mark.parametrize(
    ("service", "category", "code", "calendar"),
    [
        ("voirie", None, "defaut", "technique"),
        ("voirie", "danger-voirie", "danger", "technique"),
        ("maire", None, "elus", "cabinet"),
        ("culture", None, "defaut", "accueil"),  # closed: the front desk will own it, on its hours
        ("piscine", None, "defaut", "accueil"),
        (None, None, "defaut", "accueil"),
    ],
)
def test_the_promise_is_that_of_the_service_that_will_own_it(
    service: str | None, category: str | None, code: str, calendar: str
) -> None:
    promise = announce(submission(service=service, category=category), TOWN, NOON).promise

    assert (promise.code, promise.calendar) == (code, calendar)
    assert NOON <= promise.warn_at <= promise.due_at


def test_the_life_is_shown_as_the_router_tells_it(context: Context) -> None:
    state = after(context, command(context), *answered(context))

    assert (state.status, state.owner) == ("answered", "voirie")
    assert [entry.what for entry in state.history] == ["received", "assigned", "taken_in_charge", "answered"]


def test_the_history_begins_with_the_request_even_if_the_routers_clock_is_late(context: Context) -> None:
    early = handling.RequestAssigned(
        request_id=context.request_id,
        authority="rivemont",
        at=NOON - timedelta(seconds=1),
        version=1,
        status="assigned",
        service="voirie",
        reason="chosen",
    )

    assert [entry.what for entry in after(context, command(context), early).history] == ["received", "assigned"]


def test_a_missed_delay_says_who_was_told(context: Context) -> None:
    clock = {"promise": "taking_charge", "service": "voirie"}
    warned = late(context, escalations.PromiseWarned, **clock)
    missed = late(context, escalations.PromiseMissed, **clock, next_level=1, next_at=NOON)
    told = late(context, escalations.EscalationRaised, **clock, level=1, tell="head_of_service")
    inner = late(context, escalations.EscalationRaised, promise="unowned", service=None, level=1, tell="cover")

    state = after(context, command(context), warned, missed, told, inner)

    shown = [(entry.what, entry.note) for entry in state.history]
    assert shown == [("received", None), ("missed", None), ("escalated", "head_of_service")]


@pytest.mark.parametrize(
    ("told", "asked", "why"),
    [
        ([], AskReopening("eA=="), "not_settled"),
        ([Withdraw()], Withdraw(), "withdrawal_pending"),
        (["answered", AskReopening("eA==")], AskReopening("eA=="), "reopening_pending"),
        (["withdrawn"], AddInformation("eA=="), "withdrawn"),
        (["withdrawn"], AskReopening("eA=="), "withdrawn"),
        ([Erase()], AddInformation("eA=="), "erased"),
        ([Erase()], Withdraw(), "erased"),
        ([AddInformation("eA==")] * MOST_MESSAGES, AddInformation("eA=="), "too_many"),
    ],
)
def test_what_the_state_does_not_allow_is_refused(context: Context, told: list[Any], asked: Any, why: str) -> None:
    inputs: list[Any] = [command(context)]
    for one in told:
        if one == "answered":
            inputs += answered(context)
        elif one == "withdrawn":
            inputs.append(life(context, handling.RequestWithdrawn, "withdrawn", 5))
        else:
            inputs.append(one)
    state = after(context, *inputs)

    with pytest.raises(Refused) as refused:
        decide(state, asked, context)

    assert refused.value.why == why


def test_an_unknown_request_refuses_everything(context: Context) -> None:
    for asked in (AddInformation("eA=="), Withdraw(), AskReopening("eA=="), Erase()):
        with pytest.raises(Refused):
            decide(None, asked, context)


def test_a_refused_withdrawal_can_be_asked_again(context: Context) -> None:
    refused = life(context, handling.CommandRefused, "in_charge", 3, action="withdraw", why="closed")
    state = after(context, command(context), Withdraw(), refused)

    (event,) = decide(state, Withdraw(), context)

    assert isinstance(event, requests.WithdrawalAsked)


def test_a_refused_reopening_can_be_asked_again(context: Context) -> None:
    refused = life(context, handling.CommandRefused, "in_charge", 5, action="reopen", why="already_open")
    state = after(context, command(context), *answered(context), AskReopening("eA=="), refused)

    (event,) = decide(state, AskReopening("eQ=="), context)

    assert isinstance(event, requests.ReopeningAsked)


def test_erasing_leaves_nothing_sealed_and_is_told_once(context: Context) -> None:
    state = after(context, command(context), AddInformation("eA=="), *answered(context), Erase())

    assert state.status == "erased"
    assert state.sealed is None and not [entry for entry in state.history if entry.sealed]
    assert decide(state, Erase(), context) == ()


def test_a_row_is_written_when_it_changes(context: Context) -> None:
    received = after(context, command(context))
    assigned = after(context, command(context), answered(context)[0])

    assert len(list(project(context.request_id, None, received))) == 1
    assert len(list(project(context.request_id, received, assigned))) == 1
    assert list(project(context.request_id, received, replace(received, demande=True))) == []
    assert list(project(context.request_id, None, evolve(None, answered(context)[0]))) == []


def test_the_months_until_it_is_erased_begin_anew_with_what_happens_to_a_closed_request(context: Context) -> None:
    closed = after(context, command(context), *answered(context))
    message = life(context, handling.UsagerReplied, "answered", 5, sealed="eA==")

    later = after(context, command(context), *answered(context), message)
    ((_, row),) = project(context.request_id, closed, later)

    assert later.closed_at == message.at
    assert row[-1] == message.at, "retention looks into the rows"


def story(context: Context) -> list[list[Any]]:
    """A request's events by topic, each in its order."""
    own: list[Any] = []
    state: TrackedRequest | None = None
    hours = count()
    for asked in (command(context), AddInformation("eA=="), AskReopening("eQ=="), Withdraw(), Erase()):
        now = Context(NOON + timedelta(hours=next(hours)), context.authority, context.request_id)
        if isinstance(asked, AskReopening):
            for event in answered(context):
                state = evolve(state, event)
        for event in decide(state, asked, now):
            own.append(event)
            state = evolve(state, event)
    told = [*answered(context), life(context, handling.RequestReopened, "assigned", 5, sealed="eQ==")]
    clock = {"promise": "taking_charge", "service": "voirie"}
    missed = [
        late(context, escalations.PromiseMissed, **clock, next_level=1, next_at=NOON),
        late(context, escalations.EscalationRaised, **clock, level=1, tell="cover"),
    ]
    return [own, told, missed]


@given(data=st.data())
def test_any_interleaving_of_topics_ends_in_the_same_state(data: st.DataObject) -> None:
    context = Context(NOON, TOWN, UUID(int=7))
    topics = story(context)
    order = data.draw(st.permutations([place for place, events in enumerate(topics) for _ in events]))
    iterators = [iter(events) for events in topics]

    state: TrackedRequest | None = None
    for place in order:
        state = evolve(state, next(iterators[place]))
    expected: TrackedRequest | None = None
    for events in topics:
        for event in events:
            expected = evolve(expected, event)

    assert CODEC.encode(state) == CODEC.encode(expected)
    assert CODEC.decode(CODEC.encode(state)) == state


def test_a_reopening_by_a_message_answers_no_wish_to_reopen(context: Context) -> None:
    resolved = [life(context, handling.RequestResolved, "resolved", version, elapsed_working_seconds=60) for version in (5, 7)]
    by_message = life(context, handling.RequestReopened, "assigned", 6, sealed="bQ==")
    told = (AddInformation("bQ=="), resolved[0], by_message, resolved[1], AskReopening("eA=="))
    state = after(context, command(context), *answered(context), *told)

    for asked in (Erase(state.closed_at), AskReopening("eQ==")):
        with pytest.raises(Refused) as refused:
            decide(state, asked, context)
        assert refused.value.why == "reopening_pending"
