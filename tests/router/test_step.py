"""What the router decides, with plain values."""

import json
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import pytest

from deploy.local.town import ORGANISATION
from services.router.admission import admit_command
from services.router.domain.act import Act
from services.router.domain.life import OPEN, TRANSITIONS, UsagerMove, actions_in, why_not
from shared.delivery.errors import InputRefused
from shared.events import handling, requests
from shared.events.envelope import decode
from shared.events.handling import Action, Status
from shared.organisation import Authority, load
from tests.router.conftest import MONDAY, REQUEST, Desk, received

VOIRIE = "voirie@rivemont.example"


def told(events: tuple[Any, ...]) -> list[str]:
    return [type(event).__name__ for event in events]


def usager(cls: type[Any], desk: Desk) -> Any:
    sealed = {"sealed": "TUVT"} if "sealed" in cls.model_fields else {}
    return cls(request_id=REQUEST, authority="rivemont", at=desk.now, **sealed)


def act(action: Action, desk: Desk, **more: Any) -> Act:
    usual: dict[str, Any] = {"expected_version": desk.known.version, "mailbox": VOIRIE, "by": "QllF", "sealed": "VEVYVA"}
    return Act(action=action, **usual | more)


@pytest.mark.parametrize(
    "asked, owner, reason",
    [
        ("voirie", "voirie", "chosen"),
        ("culture", "accueil", "closed_service"),
        ("no-such-service", "accueil", "unknown_service"),
        (None, "accueil", "nobody_chose"),
    ],
)
def test_a_request_goes_to_the_service_that_was_chosen_or_to_the_front_desk(
    rivemont: Authority, asked: str | None, owner: str, reason: str
) -> None:
    desk = Desk(rivemont)

    registered, assigned, queued = desk.take(received(asked), fact=True)

    assert (registered.version, assigned.version) == (1, 2)
    assert (assigned.service, assigned.reason, assigned.asked_service) == (owner, reason, asked)
    assert (queued.service, queued.reason) == (owner, reason)
    assert (desk.known.owner, desk.known.status) == (owner, "assigned")


def test_taking_charge_stops_the_clock_with_the_working_time_that_passed(desk: Desk) -> None:
    desk.now += timedelta(hours=1)

    (taken,) = desk.take(act("take_charge", desk))

    assert (taken.status, taken.elapsed_working_seconds, taken.sealed) == ("in_charge", 2 * 3600, "QllF")


def test_who_answers_without_saying_mine_takes_charge_by_it_and_the_text_is_told_once(desk: Desk) -> None:
    taken, answered = desk.take(act("answer", desk))

    assert (taken.version, taken.sealed) == (3, "QllF")
    assert (answered.version, answered.status, answered.sealed) == (4, "answered", "VEVYVA")


def test_a_transfer_moves_the_request_to_the_other_queue(desk: Desk) -> None:
    desk.take(act("take_charge", desk))

    transferred, queued = desk.take(act("transfer", desk, target="proprete"))

    assert (transferred.from_service, transferred.service, transferred.status) == ("voirie", "proprete", "assigned")
    assert (queued.service, queued.reason) == ("proprete", "transferred")
    assert told(desk.take(act("take_charge", desk, mailbox="proprete@rivemont.example"))) == ["TakenInCharge"]


@pytest.mark.parametrize(
    "target, why",
    [
        ("no-such-service", "unknown_service"),
        (None, "unknown_service"),
        ("voirie", "already_there"),
        ("culture", "closed_service"),
    ],
)
def test_a_transfer_that_leads_nowhere_is_refused(desk: Desk, target: str | None, why: str) -> None:
    (refused,) = desk.take(act("transfer", desk, target=target))

    assert (refused.action, refused.why) == ("transfer", why)
    assert desk.known.owner == "voirie"


def test_the_former_service_may_no_longer_act_whatever_its_version_says(desk: Desk) -> None:
    desk.take(act("transfer", desk, target="espaces-verts"))

    (refused,) = desk.take(act("take_charge", desk))

    assert refused.why == "not_yours"


def test_cover_and_head_may_act_once_the_promise_is_overdue_and_not_before(desk: Desk) -> None:
    for mailbox in ("espaces-verts@rivemont.example", "s.courtecuisse@rivemont.example", "dgs@rivemont.example"):
        (refused,) = desk.take(act("take_charge", desk, mailbox=mailbox))
        assert refused.why == "not_yours"

    desk.now = desk.known.due_at

    assert told(desk.take(act("take_charge", desk, mailbox="s.courtecuisse@rivemont.example"))) == ["TakenInCharge"]


def test_the_owner_may_act_before_and_after_the_promise_is_overdue(desk: Desk) -> None:
    assert told(desk.take(act("take_charge", desk))) == ["TakenInCharge"]

    desk.now = desk.known.due_at

    assert told(desk.take(act("answer", desk))) == ["RequestAnswered"]


def test_a_link_of_an_older_version_is_refused_and_says_which(desk: Desk) -> None:
    desk.take(act("take_charge", desk))

    (refused,) = desk.take(act("answer", desk, expected_version=2))

    assert (refused.why, refused.since, refused.version) == ("changed_meanwhile", 2, 3)


@pytest.mark.parametrize("action", ["ask", "answer"])
def test_no_text_no_question_and_no_answer(desk: Desk, action: Action) -> None:
    (refused,) = desk.take(act(action, desk, sealed=None))

    assert refused.why == "no_text"


def test_what_is_done_already_is_refused_as_done(desk: Desk) -> None:
    desk.take(act("take_charge", desk))
    (again,) = desk.take(act("take_charge", desk))
    desk.take(act("resolve", desk))
    (twice,) = desk.take(act("resolve", desk))

    assert (again.why, twice.why) == ("already_in_charge", "already_resolved")


def test_every_state_and_move_is_either_allowed_or_refused_with_a_code() -> None:
    for status in get_args(Status):
        for move in (*get_args(Action), *get_args(UsagerMove)):
            code = why_not(status, move)
            assert (code is None) == ((status, move) in TRANSITIONS)
            assert code is None or code.startswith("already_") or code == status


def test_what_a_page_offers_is_what_the_table_allows() -> None:
    assert actions_in("assigned") == ("take_charge", "ask", "answer", "transfer", "resolve")
    assert actions_in("in_charge") == ("ask", "answer", "transfer", "resolve")
    assert not any(actions_in(status) for status in get_args(Status) if status not in OPEN)


def test_the_reply_of_a_usager_ends_the_wait(desk: Desk) -> None:
    desk.take(act("ask", desk))

    (replied,) = desk.take(usager(requests.InformationAdded, desk), fact=True)

    assert (replied.status, replied.sealed) == ("in_charge", "TUVT")


def test_what_a_usager_adds_while_the_agent_settles_reopens_the_request(desk: Desk) -> None:
    desk.take(act("resolve", desk))

    reopened, queued = desk.take(usager(requests.InformationAdded, desk), fact=True)

    assert (type(reopened), reopened.status, reopened.sealed) == (handling.RequestReopened, "assigned", "TUVT")
    assert (desk.known.owner, queued.service, queued.reason) == ("voirie", "voirie", "reopened")


def test_a_reopened_request_goes_to_the_front_desk_when_its_service_is_closed_by_now(rivemont: Authority) -> None:
    desk = Desk(rivemont, now=MONDAY - timedelta(days=340))  # in December: it closed in January
    desk.take(received("culture", at=desk.now), fact=True)
    desk.take(act("resolve", desk, mailbox=None))
    desk.now += timedelta(days=60)

    reopened, transferred, queued = desk.take(usager(requests.ReopeningAsked, desk), fact=True)

    assert (reopened.version, reopened.service) == (5, "culture")
    assert (transferred.version, transferred.service, transferred.reason) == (6, "accueil", "closed_service")
    assert (desk.known.owner, queued.service) == ("accueil", "accueil")


@pytest.mark.parametrize(
    "before, asked, why",
    [
        ([], requests.ReopeningAsked, "already_open"),
        (["resolve"], requests.WithdrawalAsked, "resolved"),
        ([requests.WithdrawalAsked], requests.WithdrawalAsked, "already_withdrawn"),
        ([requests.WithdrawalAsked], requests.InformationAdded, "withdrawn"),
        ([requests.WithdrawalAsked], requests.ReopeningAsked, "withdrawn"),
        ([requests.RequestErased], requests.InformationAdded, "erased"),
        ([requests.RequestErased], requests.ReopeningAsked, "erased"),
    ],
)
def test_what_a_usager_can_no_longer_ask_is_refused(desk: Desk, before: list[Any], asked: type[Any], why: str) -> None:
    for one in before:
        desk.take(act("resolve", desk)) if one == "resolve" else desk.take(usager(one, desk), fact=True)

    (refused,) = desk.take(usager(asked, desk), fact=True)

    assert (type(refused), refused.why) == (handling.CommandRefused, why)


def test_erasing_forgets_every_sealed_text_and_who_acted(desk: Desk) -> None:
    desk.take(act("answer", desk))

    (forgotten,) = desk.take(usager(requests.RequestErased, desk), fact=True)

    assert (forgotten.status, forgotten.service) == ("erased", None)
    assert desk.known.sealed is None
    assert not any(entry.sealed for entry in desk.known.history)
    assert desk.take(usager(requests.RequestErased, desk), fact=True) == ()
    (refused,) = desk.take(act("answer", desk))
    assert refused.why == "erased"


def test_a_request_whose_service_left_the_organisation_can_still_be_settled_by_the_front_desk(
    desk: Desk, rivemont: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    remaining = {code: service for code, service in rivemont.services.items() if code != "voirie"}
    monkeypatch.setattr(rivemont, "services", remaining)

    taken, resolved = desk.take(act("resolve", desk, mailbox="accueil@rivemont.example"))

    assert (taken.elapsed_working_seconds, resolved.status) == (3600, "resolved")


# --- commands of business software ---------------------------------------------------------------------------------------


def command(action: str, **more: Any) -> Any:
    fields = {"request_id": str(REQUEST), "authority": "rivemont", "at": "2026-11-23T09:00:00Z", "action": action} | more
    headers = {
        "ce_specversion": b"1.0", "ce_type": b"fr.aiguilleur.command.issued.v1", "ce_source": b"/business/roads", "ce_id": b"1",
    }  # fmt: skip
    return admit_command(decode("commands.v1", headers, json.dumps(fields).encode()))


def test_a_command_takes_the_same_step_as_a_click(desk: Desk) -> None:
    one = command("transfer", service="proprete", expected_version=2)

    assert (one.request_id, one.authority) == (REQUEST, "rivemont")
    assert told(desk.take(one.event)) == ["RequestTransferred", "QueueEntered"]


@pytest.mark.parametrize("action", ["ask", "answer"])
def test_a_command_carries_no_text(desk: Desk, action: str) -> None:
    (refused,) = desk.take(command(action).event)

    assert refused.why == "no_text"


def test_a_command_for_an_unknown_request_says_what_to_do(rivemont: Authority) -> None:
    with pytest.raises(InputRefused, match="replay this later, else skip it"):
        Desk(rivemont).take(command("resolve").event)


def test_a_command_of_another_authority_does_nothing(desk: Desk, rivemont: Authority) -> None:
    other = Desk(load(ORGANISATION).authority("saint-aubrin"), life=desk.life)

    with pytest.raises(InputRefused, match="another authority"):
        other.take(command("resolve").event)
    assert other.life == desk.life


def test_a_second_first_event_changes_nothing(desk: Desk) -> None:
    before = desk.life

    with pytest.raises(InputRefused, match="known already"):
        desk.take(received(request_id=UUID(int=2)), fact=True)
    assert desk.life is before
