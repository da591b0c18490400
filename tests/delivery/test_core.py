"""The pure core: duplicates, gaps, poison, tickets; one bad event never disturbs its neighbours."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.delivery.core import DigestMismatch
from shared.delivery.errors import InputRefused
from shared.delivery.values import Input, RawRecord, Ticket
from shared.organisation import Authority
from tests.delivery.memory import Memory, sequences
from tests.delivery.sample import OTHER, REQUEST, Faults, Say, added, warned


def say(letter: str, ticket: Ticket | None = None) -> Input:
    return Input(REQUEST, "rivemont", Say(letter), ticket=ticket)


def unreadable(sequence: int) -> RawRecord:
    return added(sequence, "text")._replace(value=b"{")


# --- duplicates ----------------------------------------------------------------------------------------------------------


def test_a_duplicate_changes_nothing(memory: Memory) -> None:
    memory.deliver(added(1, "a"), added(2, "b"))
    before = (dict(memory.saved), list(memory.outbox))

    results = memory.deliver(added(1, "a", offset=7), added(2, "b", offset=8), added(2, "b", offset=9))

    assert [result.kind for result in results] == ["duplicate"] * 3
    assert (memory.saved, memory.outbox) == before
    assert not memory.parked


# --- gaps ----------------------------------------------------------------------------------------------------------------


def test_what_comes_after_a_gap_waits_and_is_taken_in_order(memory: Memory) -> None:
    memory.deliver(added(3, "c", offset=1), added(4, "d", offset=2))
    assert memory.open() == [(3, "gap"), (4, "gap")]
    memory.deliver(added(2, "b", offset=3))
    assert memory.notes(REQUEST) is None
    assert memory.held(REQUEST)

    memory.deliver(added(1, "a", offset=4))

    notes = memory.notes(REQUEST)
    assert notes is not None
    assert notes.heard == notes.sent == ("a", "b", "c", "d")
    assert sequences(memory.said(REQUEST)) == [1, 2, 3, 4]
    assert not memory.open()
    assert not memory.held(REQUEST)


def test_a_gap_filled_within_the_batch_leaves_no_trace(memory: Memory) -> None:
    memory.deliver(added(2, "b", offset=1), added(1, "a", offset=2))

    assert not memory.parked
    assert not memory.held(REQUEST)


def test_a_gap_in_one_topic_holds_no_other(memory: Memory) -> None:
    memory.deliver(added(2, "b", offset=1), warned(1, offset=2))

    notes = memory.notes(REQUEST)
    assert notes is not None
    assert len(notes.warned) == 1
    assert notes.heard == ()


# --- poison --------------------------------------------------------------------------------------------------------------


def test_poison_is_parked_its_successors_wait_its_neighbours_go_on(memory: Memory) -> None:
    memory.deliver(added(1, "a"), added(2, "poison", offset=1), added(3, "c", offset=2), added(1, "x", OTHER, offset=3))

    assert memory.open() == [(2, "poison"), (3, "waiting")]
    other = memory.notes(OTHER)
    assert other is not None
    assert other.heard == ("x",)


def test_after_mending_a_replay_gives_the_end_state_that_would_have_been(memory: Memory, authority: Authority) -> None:
    story = [added(1, "a"), added(2, "poison", offset=1), added(3, "c", offset=2), added(4, "d", offset=3)]
    memory.deliver(*story)
    Faults.poison = frozenset()

    memory.replay()

    straight = Memory(authority)
    straight.deliver(*story)
    assert memory.saved[REQUEST][0] == straight.saved[REQUEST][0]
    assert memory.said(REQUEST) == straight.said(REQUEST)
    assert [row.resolution for row in memory.parked] == ["taken"] * 3
    assert not memory.held(REQUEST)


def test_a_replay_of_what_is_still_poison_changes_nothing(memory: Memory) -> None:
    memory.deliver(added(1, "poison"), added(2, "b", offset=1))

    memory.replay()

    assert memory.open() == [(1, "poison"), (2, "waiting")]
    assert memory.held(REQUEST)


def test_an_operator_skips_poison_and_what_waited_is_taken(memory: Memory) -> None:
    memory.deliver(added(1, "poison"), added(2, "b", offset=1))

    memory.replay(skip=True, why="poison")

    notes = memory.notes(REQUEST)
    assert notes is not None
    assert notes.heard == ("b",)
    assert [row.resolution for row in memory.parked] == ["skipped", "taken"]


def test_a_second_poison_behind_the_first_is_named_when_its_turn_comes(memory: Memory) -> None:
    Faults.poison = frozenset({"poison", "more"})
    memory.deliver(added(1, "poison"), added(2, "more", offset=1), added(3, "c", offset=2))
    Faults.poison = frozenset({"more"})

    memory.replay(why="poison")

    assert memory.open() == [(2, "poison"), (3, "waiting")]


def test_a_step_that_refuses_says_so_in_its_own_words(memory: Memory) -> None:
    memory.deliver(added(1, "refused"))

    (row,) = memory.parked
    assert (row.why, row.parked.detail) == ("refused", "skip it")


def test_the_reason_of_a_poison_names_the_place_and_never_the_text(memory: Memory) -> None:
    memory.deliver(added(1, "poison"))

    assert re.fullmatch(r"ValueError at tests/delivery/sample\.py:\d+", memory.parked[0].parked.detail)


@pytest.mark.parametrize("text", ["unencodable", "unprojectable"])
def test_a_state_that_cannot_be_kept_is_charged_to_the_event_that_leads_to_it(memory: Memory, text: str) -> None:
    memory.deliver(added(1, "a"), added(2, text, offset=1), added(3, "c", offset=2), added(1, "x", OTHER, offset=3))

    assert memory.open() == [(2, "poison"), (3, "waiting")]
    notes, other = memory.notes(REQUEST), memory.notes(OTHER)
    assert notes is not None
    assert other is not None
    assert (notes.heard, other.heard) == (("a",), ("x",))
    assert sequences(memory.said(REQUEST)) == [1]


def test_a_waiting_event_that_cannot_be_kept_is_charged_too(memory: Memory) -> None:
    memory.deliver(added(2, "unencodable", offset=1), added(3, "c", offset=2))
    memory.deliver(added(1, "a", offset=3))

    assert memory.open() == [(2, "poison"), (3, "gap")]
    notes = memory.notes(REQUEST)
    assert notes is not None
    assert notes.heard == ("a",)


# --- what cannot be read -------------------------------------------------------------------------------------------------


def test_an_unreadable_record_keeps_its_place_and_its_successors_wait(memory: Memory) -> None:
    memory.deliver(added(1, "a"), unreadable(2), added(3, "c", offset=2))

    assert memory.open() == [(2, "undecodable"), (3, "waiting")]


def test_an_unreadable_record_behind_a_gap_is_not_swallowed_when_the_gap_closes(memory: Memory) -> None:
    memory.deliver(unreadable(2))
    memory.deliver(added(1, "a", offset=1))

    assert memory.open() == [(2, "undecodable")]
    assert memory.saved[REQUEST][2][0] == 1


def test_what_was_unreadable_and_is_sent_again_takes_its_place(memory: Memory) -> None:
    memory.deliver(added(1, "a"), unreadable(2), added(3, "c", offset=2))

    memory.deliver(added(2, "b", offset=3))

    notes = memory.notes(REQUEST)
    assert notes is not None
    assert notes.heard == ("a", "b", "c")
    assert [row.resolution for row in memory.parked] == ["replaced", "taken"]


def test_an_unreadable_record_can_be_skipped(memory: Memory) -> None:
    memory.deliver(added(1, "a"), unreadable(2), added(3, "c", offset=2))

    memory.replay(skip=True, why="undecodable")

    notes = memory.notes(REQUEST)
    assert notes is not None
    assert notes.heard == ("a", "c")


# --- operators -----------------------------------------------------------------------------------------------------------


def test_an_event_that_never_came_is_given_up(memory: Memory) -> None:
    memory.deliver(added(2, "b"))

    (result,) = memory.run(Input(REQUEST, "", None, True, "requests.v1", 1, skip=True))

    notes = memory.notes(REQUEST)
    assert result.kind == "done"
    assert notes is not None
    assert notes.heard == ("b",)


def test_a_skip_out_of_turn_fails_and_changes_nothing(memory: Memory) -> None:
    (result,) = memory.run(Input(REQUEST, "", None, True, "requests.v1", 3, skip=True))

    assert result.kind == "failed"
    assert isinstance(result.error, InputRefused)
    assert not memory.saved


def test_taken_alone_a_record_leaves_its_successor_to_a_replay(memory: Memory) -> None:
    memory.deliver(added(2, "b"), added(3, "c", offset=1))
    read = memory.reader.read(added(1, "a", offset=2))
    assert isinstance(read, Input)

    memory.run(read, alone=True)

    assert memory.open() == [(2, "poison"), (3, "gap")]
    memory.replay()
    assert not memory.open()


# --- tickets -------------------------------------------------------------------------------------------------------------


def test_a_ticket_is_taken_once(memory: Memory) -> None:
    results = memory.run(say("a", Ticket("form", "1", b"x")), say("a", Ticket("form", "1", b"x")))
    results += memory.run(say("a", Ticket("form", "1", b"x")))

    assert [result.kind for result in results] == ["done", "duplicate", "duplicate"]
    assert len(memory.outbox) == 1


def test_the_same_ticket_with_another_content_is_refused(memory: Memory) -> None:
    results = memory.run(say("a", Ticket("form", "1", b"x")), say("b", Ticket("form", "1", b"y")))
    results += memory.run(say("b", Ticket("form", "1", b"y")))

    assert [result.kind for result in results] == ["done", "failed", "failed"]
    assert all(isinstance(result.error, DigestMismatch) for result in results[1:])
    assert len(memory.outbox) == 1


def test_a_ticket_whose_first_try_failed_is_not_said_to_be_taken(memory: Memory) -> None:
    results = memory.run(say("refused", Ticket("form", "1", b"x")), say("refused", Ticket("form", "1", b"x")))

    assert [result.kind for result in results] == ["failed", "failed"]
    assert all(isinstance(result.error, InputRefused) for result in results)
    assert not memory.tickets


def test_a_local_input_that_fails_disturbs_no_neighbour(memory: Memory) -> None:
    results = memory.run(say("a"), say("refused"), say("b"))

    notes = memory.notes(REQUEST)
    assert [result.kind for result in results] == ["done", "failed", "done"]
    assert notes is not None
    assert notes.sent == ("a", "b")


# --- any interleaving ----------------------------------------------------------------------------------------------------

LENGTH = 5
RECORDS = [added(n, f"text{n}", offset=n) for n in range(1, LENGTH + 1)]
RECORDS += [warned(n, offset=n) for n in range(1, LENGTH + 1)]
RECORDS += [added(n, f"other{n}", OTHER, offset=20 + n) for n in range(1, LENGTH + 1)]


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[RawRecord]]:
    """Every record once or more, in any order, cut into any batches."""
    again = draw(st.lists(st.sampled_from(RECORDS), max_size=8))
    order = draw(st.permutations([*RECORDS, *again]))
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=5)))
    numbered = [raw._replace(offset=place) for place, raw in enumerate(order)]
    return [numbered[start:end] for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]


@settings(max_examples=150)
@given(batches=deliveries(), bad=st.sets(st.sampled_from([f"text{n}" for n in range(1, LENGTH + 1)]), max_size=3))
def test_whatever_the_order_the_end_is_the_same(authority: Authority, batches: list[list[RawRecord]], bad: set[str]) -> None:
    straight = Memory(authority)
    straight.deliver(*RECORDS)

    memory = Memory(authority)
    Faults.poison = frozenset(bad)
    for batch in batches:
        memory.deliver(*batch)
    undisturbed = memory.notes(OTHER)
    Faults.poison = frozenset()
    while memory.open():
        left = len(memory.open())
        memory.replay()
        assert len(memory.open()) < left

    assert undisturbed == straight.notes(OTHER)
    for request_id in (REQUEST, OTHER):
        assert memory.saved[request_id][0] == straight.saved[request_id][0]
        assert memory.saved[request_id][2:] == straight.saved[request_id][2:]
        assert memory.said(request_id) == straight.said(request_id)
