"""What holds for every story: whatever happens, in whatever order it is read, whenever the clock is looked at."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from services.sla.domain.clocks import CLOCKS
from services.sla.service import SLA
from shared.delivery.service import StateCodec
from shared.events import handling
from shared.events.escalations import EscalationEvent, EscalationRaised, PromiseMissed
from tests.sla.story import (
    DUE,
    RECEIVED,
    UNOWNED_DUE,
    WARN,
    Story,
    assigned,
    erased,
    forgotten,
    name_of,
    received,
    reopened,
    taken,
    transferred,
    withdrawn,
)  # fmt: skip

LIFE = st.lists(
    st.sampled_from([transferred("voirie"), taken(), withdrawn(), reopened(), forgotten()]), max_size=5
).map(lambda rest: [assigned(), *rest])  # fmt: skip
REQUESTS = st.sampled_from([[received()], [received(), erased()]])
JUMPS = st.lists(st.integers(min_value=0, max_value=30 * 24 * 3600), max_size=8)
WHATS = ("warn", "due", "level_1", "level_2", "level_3")
INSTANTS = {"warned": WARN, "missed": DUE}


def interleaved(random: Random, *topics: Sequence[Any]) -> list[Any]:
    """One of the orders in which records of several topics can be read: each topic's own order is kept."""
    queues = [list(topic) for topic in topics]
    order: list[Any] = []
    while any(queues):
        order.append(random.choice([queue for queue in queues if queue]).pop(0))
    return order


def is_stopped(facts: list[BaseModel]) -> bool:
    closing = (handling.TakenInCharge, handling.RequestWithdrawn, handling.RequestForgotten)
    return any(isinstance(fact, closing) for fact in facts) or erased() in facts


@given(REQUESTS, LIFE, JUMPS, st.randoms(use_true_random=False))
def test_each_deadline_fires_once_never_early_and_none_after_the_end(
    asked: list[Any], told: list[Any], jumps: list[int], random: Random
) -> None:
    story, read = Story(), list[BaseModel]()
    moments = [timedelta(seconds=seconds) for seconds in jumps]
    for step in interleaved(random, asked, told, moments):
        before = len(story.said)
        if isinstance(step, timedelta):
            story.now += step
            for what in random.sample(WHATS, 2):  # from a replica that is behind, or ahead
                story.tick(random.choice(CLOCKS), what)
            story.wait_until(story.now)
            assert not (is_stopped(read) and len(story.said) > before), "something was said after the end"
        else:
            read.append(step)
            story.read(step)
            assert len(story.said) == before, "a fact alone says nothing"
            story.wait_until(story.now)

    assert max(Counter(story.told).values(), default=1) == 1
    for event in story.said:
        assert event.at >= due_of(event, story)
    levels = [event.level for event in story.said if isinstance(event, EscalationRaised) and event.promise == "taking_charge"]
    assert levels == list(range(1, len(levels) + 1))


def due_of(event: EscalationEvent, story: Story) -> datetime:
    if event.promise == "unowned":
        return UNOWNED_DUE
    if isinstance(event, EscalationRaised):
        announced = [one for one in story.said if isinstance(one, PromiseMissed | EscalationRaised)]
        (next_at,) = [one.next_at for one in announced if (one.promise, one.next_level) == (event.promise, event.level)]
        assert next_at is not None
        return next_at
    return INSTANTS[name_of(event)]


@given(REQUESTS, LIFE, st.booleans(), st.randoms(use_true_random=False))
def test_any_order_across_topics_ends_in_the_same_state_byte_for_byte(
    asked: list[Any], told: list[Any], late: bool, random: Random
) -> None:
    said = Story().read(*asked[:1], assigned()).wait_until(DUE if late else WARN).said
    encode = StateCodec(SLA.state).encode
    states = set()
    for _ in range(4):
        state = None
        for fact in interleaved(random, asked, told, said):
            state = SLA.evolve(state, fact)
        states.add(encode(state))
    assert len(states) == 1


@given(REQUESTS, LIFE, st.integers(min_value=0, max_value=60 * 24 * 3600))
def test_what_was_said_and_read_rebuilds_the_state(asked: list[Any], told: list[Any], seconds: int) -> None:
    story = Story().read(*asked, *told[:1]).wait_until(RECEIVED + timedelta(seconds=seconds)).read(*told[1:])

    state = None
    for fact in [*asked, *told, *story.said]:
        state = SLA.evolve(state, fact)
    assert state == story.state
