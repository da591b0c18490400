"""What a clock does, with plain values."""

from datetime import timedelta

import pytest

from services.sla.domain.clocks import Clocks
from services.sla.domain.ladder import told_at
from services.sla.store import DROP_DEADLINE, SAVE_DEADLINE, project
from shared.delivery.service import StateCodec
from shared.events.escalations import EscalationRaised, PromiseMissed
from tests.sla.story import (
    DUE,
    HOUR,
    OFFICE,
    RECEIVED,
    REQUEST,
    TOWN,
    UNOWNED_DUE,
    WARN,
    Story,
    assigned,
    erased,
    forgotten,
    received,
    reopened,
    taken,
    transferred,
    withdrawn,
)  # fmt: skip

SECOND = timedelta(seconds=1)


def test_the_service_is_warned_at_three_quarters_and_not_a_moment_before() -> None:
    story = Story().read(received(), assigned())

    story.wait_until(WARN - SECOND)
    assert story.told == []
    story.wait_until(WARN)

    assert story.told == [("taking_charge", "warned")]
    assert story.said[0].service == "urbanisme"
    assert story.said[0].due_at == DUE


def test_a_tick_that_comes_early_or_out_of_turn_says_nothing() -> None:
    story = Story().read(received(), assigned())

    story.now = WARN - timedelta(microseconds=1)
    assert story.tick("taking_charge", "warn") == []
    story.now = DUE
    for what in ("due", "level_1", "nonsense"):  # the warning comes first, even when both are due
        assert story.tick("taking_charge", what) == []
    assert story.tick("unowned", "due") == []
    assert Story(now=DUE).tick("taking_charge", "warn") == []  # a request that is not known here

    assert len(story.tick("taking_charge", "warn")) == 1


def test_a_promise_that_breaks_climbs_the_ladder_in_working_hours_of_the_owner() -> None:
    story = Story().read(received(), assigned()).wait_until(DUE)

    missed, cover = story.said[1:]
    assert isinstance(missed, PromiseMissed)
    assert isinstance(cover, EscalationRaised)
    assert (missed.next_level, missed.next_at) == (1, DUE)
    assert (cover.level, cover.tell, cover.next_level) == (1, "cover", 2)
    assert cover.next_at == OFFICE.due(DUE, 4 * 3600)  # not four hours later: the office closes meanwhile
    assert cover.next_at > DUE + 4 * HOUR

    head = story.wait_until(cover.next_at).said[-1]
    assert isinstance(head, EscalationRaised)
    assert head.next_at == OFFICE.due(DUE, 12 * 3600) != TOWN.calendar_of("accueil").due(DUE, 12 * 3600)

    story.wait_until(DUE + timedelta(days=30))
    assert [(one.level, one.tell) for one in story.said if isinstance(one, EscalationRaised)] == [
        (1, "cover"),
        (2, "head_of_service"),
        (3, "general_management"),
    ]
    assert story.state and story.state.deadline("taking_charge") is None


def test_after_a_jump_of_the_clock_everything_fires_in_order_and_once() -> None:
    story = Story().read(received(), assigned()).wait_until(DUE + timedelta(days=60))

    assert story.told == [("taking_charge", one) for one in ("warned", "missed", "level 1", "level 2", "level 3")]
    for what in ("warn", "due", "level_1", "level_2", "level_3"):
        assert story.tick("taking_charge", what) == []


@pytest.mark.parametrize("stop", [taken, withdrawn, forgotten, erased])
def test_nothing_is_said_once_the_request_is_taken_in_charge_or_closed(stop) -> None:
    story = Story().read(received(), assigned()).wait_until(DUE).read(stop())
    before = list(story.told)

    story.wait_until(DUE + timedelta(days=60))

    assert story.told == before
    assert story.tick("taking_charge", "level_2") == []


def test_a_reopening_or_a_transfer_after_taking_charge_does_not_start_the_clock_again() -> None:
    story = Story().read(received(), assigned(), taken(), transferred("voirie"), withdrawn(), reopened())

    assert story.wait_until(DUE + timedelta(days=60)).told == []


def test_a_transfer_before_taking_charge_changes_who_is_told_and_not_the_due_date() -> None:
    story = Story().read(received(), assigned(), transferred("voirie")).wait_until(DUE)

    assert {(one.service, one.due_at) for one in story.said} == {("voirie", DUE)}
    assert story.said[-1].next_at == TOWN.calendar_of("voirie").due(DUE, 4 * 3600)  # type: ignore[attr-defined]


def test_a_request_that_nobody_owns_escalates_first_and_names_no_service() -> None:
    story = Story().read(received()).wait_until(UNOWNED_DUE)

    missed, head = story.said
    assert story.told == [("unowned", "missed"), ("unowned", "level 1")]
    assert (missed.service, head.service, head.tell) == (None, None, "head_of_service")  # type: ignore[attr-defined]
    assert head.next_at == TOWN.calendar_of("accueil").due(UNOWNED_DUE, 3600)  # type: ignore[attr-defined]

    assert story.read(assigned()).wait_until(WARN - SECOND).told == [("unowned", "missed"), ("unowned", "level 1")]


def test_a_life_that_is_read_before_the_request_itself_keeps_the_clocks_still() -> None:
    story = Story().read(assigned(), taken(), received()).wait_until(DUE + timedelta(days=60))

    assert story.told == []


def test_a_request_read_after_its_due_date_is_told_at_once() -> None:
    story = Story(now=DUE + HOUR).read(assigned(), received()).wait_until(DUE + HOUR)

    assert story.told == [("taking_charge", "warned"), ("taking_charge", "missed"), ("taking_charge", "level 1")]


def test_a_ladder_or_a_service_that_the_configuration_lost_still_escalates() -> None:
    story = Story().read(received(ladder="abolie"), assigned("service-dissous")).wait_until(DUE + timedelta(days=60))

    assert story.told[-1] == ("taking_charge", "level 3")
    assert {one.service for one in story.said} == {"service-dissous"}


def test_a_level_that_a_shorter_ladder_lost_is_told_to_the_general_management() -> None:
    story = Story().read(received(ladder="ordinaire"), assigned()).wait_until(OFFICE.due(DUE, 4 * 3600))
    assert story.state and story.state.taking_charge.next_level == 3

    story.read(received(ladder="rapide")).wait_until(DUE + timedelta(days=60))  # two levels only

    last = story.said[-1]
    assert isinstance(last, EscalationRaised)
    assert (last.level, last.tell, last.next_level) == (3, "general_management", None)


def test_a_ladder_that_ends_below_the_general_management_tells_whom_its_last_level_names() -> None:
    ladder = TOWN.ladders["ordinaire"]
    shorter = ladder.model_copy(update={"levels": ladder.levels[:2]})

    assert [told_at(level, shorter) for level in (1, 2, 3)] == ["cover", "head_of_service", "general_management"]


def test_each_clock_has_one_row_and_an_unchanged_one_is_not_written() -> None:
    empty = Story()
    running = Story().read(received())
    owned = Story().read(received(), assigned())
    moved = Story().read(received(), assigned(), transferred("voirie"))

    assert list(project(REQUEST, empty.state, running.state)) == [
        (SAVE_DEADLINE, (REQUEST, "taking_charge", "warn", WARN, "rivemont")),
        (SAVE_DEADLINE, (REQUEST, "unowned", "due", UNOWNED_DUE, "rivemont")),
    ]
    assert list(project(REQUEST, running.state, owned.state)) == [(DROP_DEADLINE, (REQUEST, "unowned"))]
    assert list(project(REQUEST, owned.state, moved.state)) == []


def test_a_state_survives_being_stored() -> None:
    codec: StateCodec[Clocks] = StateCodec(Clocks)
    state = Story().read(received(), assigned()).wait_until(DUE).state

    assert codec.decode(codec.encode(state)) == state
    assert state and state.announced and state.announced.start_at == RECEIVED
