"""The checker over services that are themselves at fault: it names what they do."""

from dataclasses import replace
from typing import Any

import pytest

from services.intake.service import INTAKE
from services.stats.domain import publication
from shared.events.handling import RequestAnswered
from shared.events.requests import InformationAdded
from tests.judge import states
from tests.judge.checker import violations
from tests.judge.story import Story


def test_a_state_that_depends_on_the_order_across_topics_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given an intake that passes over an answer once something was added, which is not the order in which it happened."""
    before: list[Any] = []

    def evolve(state: Any, event: Any) -> Any:  # Any: as `Service.evolve`
        if state is None:
            before.clear()
        before.append(type(event))
        return state if isinstance(event, RequestAnswered) and InformationAdded in before else INTAKE.evolve(state, event)

    story = Story()
    evidence = story.evidence()
    monkeypatch.setattr(states, "ALL", (replace(INTAKE, evolve=evolve),))
    broken = violations(evidence, story.history)
    assert len(broken) == 1 and broken[0].startswith(f"8 state: intake of {story.worked} is not what received 1, "), broken


def test_a_small_cell_that_is_published_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    monkeypatch.setattr(publication, "hide", lambda *_, **__: frozenset())
    broken = violations(story.evidence(), story.history)
    assert broken
    assert all(line.startswith("10 disclosed: rivemont 2026-11") for line in broken), broken
