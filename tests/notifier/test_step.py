"""Which letters a request makes, in whatever order its facts come."""

from collections.abc import Iterable
from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifier.domain.step import LetterFailed, LetterSent
from services.notifier.service import NOTIFIER
from services.notifier.store import DROP_LETTER, SAVE_LETTER, project
from shared.delivery.service import StateCodec
from shared.events import escalations, handling, notifications
from shared.organisation import Authority
from tests.notifier.conftest import REQUEST, Notifier, Story

CLOSED: dict[str, Any] = {"service": None, "elapsed_working_seconds": 7200}


def test_the_receipt_does_not_wait_for_the_router(notifier: Notifier, story: Story) -> None:
    notifier.take(story.received())
    assert notifier.due == {"receipt"}


def test_an_assignment_that_comes_first_waits_for_the_content(notifier: Notifier, story: Story) -> None:
    notifier.take(story.assigned())
    assert notifier.due == set()
    notifier.take(story.received())
    assert notifier.due == {"receipt", "assignment.2"}


def test_every_fact_of_a_life_that_somebody_must_know_is_a_letter(notifier: Notifier, story: Story) -> None:
    notifier.take(
        story.received(),
        story.assigned(),
        story.life(handling.RequestTransferred, service="proprete", from_service="voirie", reason="agent"),
        story.life(handling.UsagerAsked, service="proprete", agent_text="Où ?"),
        story.life(handling.UsagerReplied, service="proprete", usager_text="Là."),
        story.life(handling.RequestAnswered, service="proprete", agent_text="Fait.", elapsed_working_seconds=3),
        story.life(handling.RequestResolved, status="resolved", **CLOSED),
        story.life(handling.RequestReopened, service="proprete", usager_text="Non."),
        story.life(handling.RequestWithdrawn, status="withdrawn", service=None),
        story.escalation(escalations.PromiseWarned),
        story.escalation(escalations.PromiseMissed, next_level=1, next_at=story.at),
        story.escalation(escalations.EscalationRaised, level=1, tell="cover"),
        story.escalation(escalations.EscalationRaised, level=2, tell="head_of_service"),
    )
    assert notifier.known is not None
    told = {name: (letter.recipient, letter.service) for name, letter in notifier.known.letters.items()}
    assert told == {
        "receipt": ("usager", None),
        "assignment.2": ("service", "voirie"),
        "assignment.3": ("service", "proprete"),
        "transfer_notice.3": ("usager", "proprete"),
        "question.4": ("usager", "proprete"),
        "usager_message.5": ("service", "proprete"),
        "answer.6": ("usager", "proprete"),
        "resolution.7": ("usager", "proprete"),
        "assignment.8": ("service", "proprete"),
        "withdrawal.9": ("service", "proprete"),
        "warning.taking_charge": ("service", "voirie"),
        "escalation.taking_charge.1": ("cover", "voirie"),
        "escalation.taking_charge.2": ("head_of_service", "voirie"),
    }


def test_a_letter_sent_is_told_once_and_forgotten(notifier: Notifier, story: Story) -> None:
    notifier.take(story.received())
    [sent] = notifier.take(LetterSent("receipt", 2))
    assert isinstance(sent, notifications.MailSent)
    assert (sent.letter, sent.kind, sent.recipient, sent.attempts) == ("receipt", "receipt", "usager", 2)
    assert notifier.take(LetterSent("receipt", 2)) == () and notifier.take(LetterFailed("receipt", "refused", 2)) == ()
    assert notifier.due == set() and notifier.known is not None and notifier.known.done == {"receipt": "sent"}


def test_a_letter_given_up_is_told_with_its_reason(notifier: Notifier, story: Story) -> None:
    notifier.take(story.received())
    [failed] = notifier.take(LetterFailed("receipt", "no_address", 0))
    assert isinstance(failed, notifications.MailFailed) and failed.why == "no_address"


def test_a_command_about_a_letter_that_is_not_known_changes_nothing(notifier: Notifier, story: Story) -> None:
    assert notifier.take(LetterSent("receipt", 1)) == () and notifier.known is None
    notifier.take(story.received())
    before = notifier.known
    assert notifier.take(LetterSent("answer.9", 1)) == () and notifier.known == before


def test_an_erasure_gives_up_what_was_to_be_sent_and_keeps_nothing_sealed(notifier: Notifier, story: Story) -> None:
    notifier.take(story.received(), story.assigned(), story.life(handling.UsagerAsked, agent_text="Où ?"))
    notifier.take(LetterSent("receipt", 1))
    told = notifier.take(story.erased())
    assert {(one.letter, one.why) for one in told} == {("assignment.2", "erased"), ("question.3", "erased")}
    assert notifier.take(story.life(handling.RequestForgotten, status="erased", service=None)) == ()
    [late] = notifier.take(story.escalation(escalations.PromiseWarned))
    assert late.why == "erased" and notifier.due == set()
    assert b"sealed" not in (StateCodec(NOTIFIER.state).encode(notifier.known) or b"").replace(b'"sealed":null', b"")


def test_rows_follow_letters_and_leave_attempts_alone(notifier: Notifier, story: Story) -> None:
    notifier.take(story.received())
    before = notifier.known
    assert [statement for statement, _ in project(REQUEST, None, before)] == [SAVE_LETTER]
    notifier.take(story.assigned())
    assert [row[1] for _, row in project(REQUEST, before, notifier.known)] == ["assignment.2"]
    between = notifier.known
    notifier.take(LetterSent("receipt", 1))
    assert list(project(REQUEST, between, notifier.known)) == [(DROP_LETTER, (REQUEST, "receipt"))]
    assert "attempts" not in SAVE_LETTER.sql and "UPDATE" not in SAVE_LETTER.sql


# --- orders ----------------------------------------------------------------------------------------------------------


def lanes(story: Story) -> list[list[Any]]:
    """A short story, a list per topic: order holds within each only."""
    return [
        [story.received(), story.erased()],
        [
            story.assigned(),
            story.life(handling.RequestTransferred, service="proprete", from_service="voirie", reason="agent"),
            story.life(handling.RequestWithdrawn, status="withdrawn", service=None),
            story.life(handling.RequestForgotten, status="erased", service=None),
        ],
        [story.escalation(escalations.PromiseWarned), story.escalation(escalations.EscalationRaised, level=1, tell="cover")],
    ]


def merged(lanes: list[list[Any]], order: Iterable[int]) -> list[Any]:
    """Take from the lanes in this order of lanes."""
    rest = [list(lane) for lane in lanes]
    return [rest[lane].pop(0) for lane in order]


def test_every_interleaving_ends_in_the_same_state_and_tells_each_letter_once(story: Story, rivemont: Authority) -> None:
    told = lanes(story)
    ends = set()
    for order in set(permutations([0, 0, 1, 1, 1, 1, 2, 2])):
        notifier = Notifier(rivemont)
        said = notifier.take(*merged(told, order))
        assert len({one.letter for one in said}) == len(said) == 7
        ends.add(StateCodec(NOTIFIER.state).encode(notifier.known))
    assert len(ends) == 1


def test_interleavings_without_erasure_end_in_the_same_letters(story: Story, rivemont: Authority) -> None:
    told = lanes(story)
    told[0].pop()
    told[1].pop()
    ends = set()
    for order in set(permutations([0, 1, 1, 1, 2, 2])):
        notifier = Notifier(rivemont)
        notifier.take(*merged(told, order))
        ends.add(StateCodec(NOTIFIER.state).encode(notifier.known))
        assert len(notifier.due) == 7
    assert len(ends) == 1


def test_what_was_sent_is_never_sent_again_by_a_rebuild_in_any_order(story: Story, rivemont: Authority) -> None:
    live = Notifier(rivemont)
    live.take(story.received(), story.assigned(), story.escalation(escalations.PromiseWarned))
    for name in ("receipt", "assignment.2", "warning.taking_charge"):
        live.take(LetterSent(name, 1))
    facts: list[Any] = [*live.said, story.received(), Story().assigned(), story.escalation(escalations.PromiseWarned)]
    for order in set(permutations(range(6))):
        state = None
        for place in order:
            state = NOTIFIER.evolve(state, facts[place])
        assert state is not None and state.letters == {} and state.done == live.known.done  # type: ignore[union-attr]


@settings(max_examples=200)
@given(
    names=st.lists(st.sampled_from(["receipt", "assignment.2", "warning.taking_charge", "other"]), max_size=12),
    random=st.randoms(),
)
def test_a_letter_has_one_outcome_whatever_is_said_of_it(rivemont: Authority, names: list[str], random: Any) -> None:
    story, notifier = Story(), Notifier(rivemont)
    inputs: list[Any] = [story.received(), story.assigned(), story.escalation(escalations.PromiseWarned)]
    for name in names:
        outcome = LetterSent(name, 1) if random.random() < 0.5 else LetterFailed(name, "refused", 1)
        inputs.insert(random.randrange(len(inputs) + 1), outcome)
    said = notifier.take(*inputs)
    assert len({one.letter for one in said}) == len(said)
    assert notifier.known is not None
    assert set(notifier.known.letters) | set(notifier.known.done) == {"receipt", "assignment.2", "warning.taking_charge"}
    assert not set(notifier.known.letters) & set(notifier.known.done)


def test_the_first_event_may_be_an_erasure(notifier: Notifier, story: Story) -> None:
    notifier.take(story.erased())
    [told] = notifier.take(story.received())
    assert (told.letter, told.why) == ("receipt", "erased")
