"""What the checker says nothing of, though it looks odd: each case beside what it would say if it had no reason to be silent."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.judge.checker import violations
from tests.judge.evidence import SOFTWARE
from tests.judge.small_town import AUTHORITY, MONDAY
from tests.judge.spoiling import (
    NOBODY,
    OWNER,
    change_organisation,
    double_the_positions,
    drop_mail,
    find,
    find_row,
    fire_early,
    give_up,
    issue,
    mail_of,
    mail_the_erased,
    open_after,
    park,
    park_and_say,
    park_garbage,
    publish_nothing,
    refuse,
    refuse_transfer,
    say_refused,
    swap,
    tell_erasures,
)
from tests.judge.story import Story


def test_statistics_hide_everything_where_all_is_small() -> None:
    story = Story()
    evidence = story.evidence()
    publish_nothing(evidence)
    assert violations(evidence, story.history) == []


def test_what_the_relay_wrote_twice_counts_once() -> None:
    story = Story()
    evidence = story.evidence()
    evidence.log += evidence.log
    double_the_positions(evidence)
    assert violations(evidence, story.history) == []


def test_what_was_spoilt_and_sent_anew_in_one_batch_leaves_no_trace() -> None:
    story = Story()
    evidence = story.evidence()
    evidence.ends = {place: end + (place[0] == "handling.v1") for place, end in evidence.ends.items()}
    for service in ("intake", "sla", "notifier", "stats"):
        find_row(evidence, f"{service}.position", topic="handling.v1")["next_offset"] += 1
    assert len([line for line in violations(evidence, story.history) if line.startswith("12 records")]) == 4
    story.history.spoilt["handling.v1"] = 1
    assert violations(evidence, story.history) == []


def test_what_was_parked_of_a_lost_log_is_not_in_the_new_one() -> None:
    story = Story()
    evidence = story.evidence()
    park_garbage(evidence, "sla", "handling.v1")
    assert violations(evidence, story.history)
    story.history.log_lost = True
    assert violations(evidence, story.history) == []


def test_another_order_is_no_fault_where_a_record_came_a_second_time_only() -> None:
    story = Story()
    evidence = story.evidence()
    swap(evidence, "handling.v1", story.worked)
    story.history.disordered = {("handling.v1", story.resolved), ("queues.v1", story.worked)}
    assert [line.partition(":")[0] for line in violations(evidence, story.history)] == ["2 order"]
    story.history.disordered = {("handling.v1", story.worked)}
    assert violations(evidence, story.history) == []


def test_a_command_of_a_lost_log_explains_what_it_led_to() -> None:
    story = Story()
    evidence = story.evidence()
    issue(evidence, story.resolved, "resolve", unsealed="resolved")
    evidence.asked_before, evidence.asked = evidence.asked, []
    assert [line for line in violations(evidence, story.history, thorough=False) if line.startswith("7")] == []


def test_a_service_that_never_heard_of_its_commit_may_be_silent_of_what_it_parked_by_it_alone() -> None:
    story = Story()
    evidence = story.evidence()
    park_and_say(story, evidence, times=0)
    story.history.untold["sla"] = 1
    assert [line for line in violations(evidence, story.history) if line.startswith("13 silent")] == []
    park(evidence, "sla", find(evidence, "handling.v1", story.worked, "resolved"))
    assert any(line.startswith("13 silent: sla parked 2") for line in violations(evidence, story.history))


@pytest.mark.parametrize("why", ["stranger", "of another authority", "too soon"])
def test_a_command_may_be_refused_that_is_about_a_request_the_router_does_not_know_or_that_is_not_its_own(why: str) -> None:
    story = Story()
    evidence = story.evidence()
    request_id = NOBODY if why == "stranger" else story.worked
    authority = "valbourg" if why == "of another authority" else "rivemont"
    refuse(evidence, request_id, parked_at=MONDAY if why == "too soon" else story.now, authority=authority)
    assert violations(evidence, story.history) == []


def test_a_mail_may_come_again_as_often_as_its_note_was_lost() -> None:
    story = Story()
    evidence = story.evidence()
    evidence.mails.append(evidence.mails[0])
    story.history.unnoted = Counter([evidence.mails[0].message_id])
    assert violations(evidence, story.history) == []


def test_a_mail_may_arrive_that_was_under_way_when_its_request_was_erased() -> None:
    for why, is_unsaid in (("erased", False), ("refused", True)):
        story = Story()
        evidence = story.evidence()
        give_up(evidence, story.erased, why)
        story.history.unnoted = Counter()
        assert any(line.startswith("9 unsaid") for line in violations(evidence, story.history, thorough=False)) is is_unsaid


@pytest.mark.parametrize(("after", "struck"), [(20, 0), (39, 20)])
def test_a_mail_that_was_held_up_may_arrive_later_by_as_much(after: int, struck: int) -> None:
    story = Story()
    evidence = story.evidence()
    mail_the_erased(story, evidence, after=timedelta(seconds=after), struck=timedelta(seconds=struck))
    assert violations(evidence, story.history, thorough=False) == []


def test_of_an_erasure_without_an_answer_either_may_be_true() -> None:
    for told in ({"erased": "unknown", "worked": "unknown"}, {"erased": "done", "worked": "refused"}):
        story = Story()
        tell_erasures(story, **told)  # type: ignore[arg-type]  # outcomes
        assert violations(story.evidence(), story.history, thorough=False) == []


def test_once_done_an_erasure_is_done_and_where_nobody_counts_them_none_is_noted() -> None:
    story = Story()
    story.history.note_erasure(story.erased, "unknown")
    story.history.note_erasure(story.worked, "unknown")
    assert story.history.erasures == {story.erased: "done", story.worked: "unknown"}
    story.history.erasures = None
    story.history.note_erasure(story.worked, "done")
    assert violations(story.evidence(), story.history, thorough=False) == []


@pytest.mark.parametrize(
    ("action", "why", "behind", "known"),
    [
        ("take_charge", "already_in_charge", 0, {"mailbox": OWNER}),
        ("ask", "changed_meanwhile", 1, {"mailbox": OWNER}),
        ("ask", "not_yours", 0, {"mailbox": AUTHORITY.service("voirie").mailbox}),
        ("answer", "no_text", None, {"mailbox": SOFTWARE}),
        ("transfer", "unknown_service", 0, {"mailbox": OWNER, "target": "nulle-part"}),
        ("transfer", "already_there", 0, {"mailbox": OWNER, "target": "proprete"}),
        ("ask", "not_yours", 0, {"mailbox": None}),
    ],
)
def test_an_act_may_be_refused_for_a_reason(action: str, why: str, behind: int | None, known: dict[str, Any]) -> None:
    story = Story()
    evidence = story.evidence()
    say_refused(story, evidence, action, why, behind=behind, **known)
    assert [line for line in violations(evidence, story.history, thorough=False) if line.startswith("2 refused")] == []


def test_a_service_may_be_closed_by_one_of_the_configurations_that_were_in_force() -> None:
    for is_known in (True, False):
        story = Story()
        evidence = story.evidence()
        refuse_transfer(story, evidence, "closed_service", "voirie")
        if is_known:
            change_organisation(story, evidence, before=timedelta(days=-1))
        found = [line for line in violations(evidence, story.history, thorough=False) if line.startswith("2 refused")]
        assert (found == []) is is_known


def test_a_transfer_to_a_service_of_another_town_is_refused_as_unknown_not_as_closed() -> None:
    for why in ("unknown_service", "closed_service"):
        story = Story()
        evidence = story.evidence()
        refuse_transfer(story, evidence, why, "mairie")
        found = [line for line in violations(evidence, story.history, thorough=False) if line.startswith("2 refused")]
        assert (found == []) is (why == "unknown_service")


def test_a_mail_may_come_after_the_erasure_that_was_opened_before() -> None:
    story = Story()
    evidence = story.evidence()
    open_after(story, evidence)
    evidence.mails[-1] = replace(evidence.mails[-1], opened_at=None)
    assert [line for line in violations(evidence, story.history, thorough=False) if line.startswith("11 mail")] == []


def test_a_promise_may_be_by_what_was_in_force_until_all_have_read_what_is() -> None:
    for before in (timedelta(minutes=1), timedelta(minutes=-1)):
        story = Story()
        evidence = story.evidence()
        change_organisation(story, evidence, before=before)
        assert [line for line in violations(evidence, story.history) if line.startswith("6 due")] == []


def test_a_clock_that_is_ahead_may_fire_as_much_earlier() -> None:
    story = Story()
    evidence = story.evidence()
    fire_early(story, evidence, skew=timedelta(hours=1))
    assert violations(evidence, story.history) == []


@pytest.mark.parametrize("why", ["refused", "no_address", "unreadable", "out_of_tries"])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_letter_may_be_given_up_that_nobody_can_be_sent(why: str, *, is_known: bool) -> None:
    story = Story()
    evidence, history = story.evidence(), story.history
    history.refused_mails = {mail_of(story.worked, "receipt").message_id} if is_known else None
    history.addressless = history.unreadable = {story.worked} if is_known else None
    history.skews = history.skews if is_known else None
    give_up(evidence, story.worked, why, after=timedelta(hours=72) - (timedelta() if is_known else timedelta(minutes=4)))
    drop_mail(evidence, story.worked, "receipt")
    assert [line for line in violations(evidence, history, thorough=False) if line.startswith(("9", "12"))] == []
