"""What agents are told of a link, against what the town knows itself."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.notifier.domain.correspondence import Letter
from shared.delivery.core import Core, DigestMismatch
from shared.delivery.errors import InputRefused, Unavailable
from shared.delivery.values import Result
from shared.events.handling import CommandRefused
from tests.simulation.clicks import LASTS, Click
from tests.simulation.mail import Envelope
from tests.simulation.run import run
from tests.simulation.settings import Settings
from tests.simulation.world import World

MADE_AT = datetime(2026, 3, 3, 10, 0, 0, 700_000, tzinfo=UTC)
MAIL = Envelope(UUID(int=1), "assignment.2", Letter("assignment", "service", MADE_AT), 2, "voirie@rivemont.example", "rivemont")
REFUSAL = CommandRefused(
    request_id=UUID(int=1), authority="rivemont", at=MADE_AT, version=3, status="in_charge", service="voirie",
    action="ask", why="changed_meanwhile", since=2,
)  # fmt: skip
DONE: Result[Any] = Result("done", MAIL.request_id)
REFUSED: Result[Any] = Result("done", MAIL.request_id, events=(REFUSAL,))
USED: Result[Any] = Result("duplicate", MAIL.request_id)
LOST = None
AWAY: Result[Any] = Result("failed", MAIL.request_id, error=Unavailable())
OTHER: Result[Any] = Result("failed", MAIL.request_id, error=DigestMismatch())
WRONG: Result[Any] = Result("failed", MAIL.request_id, error=InputRefused("no"))


def pressed(*answers: Any) -> tuple[Click, list[str]]:
    """Press a link as often as there are answers, and return what is known of it and what was found to be wrong."""
    world = World(Settings(1, requests=1, strength=0))
    click = world.agents.clicks.of("token", MAIL, "ask", MADE_AT)
    for answer in answers:
        world.agents.clicks.press(click, None)
        world.agents.clicks.answer(click, answer, target=None, was_known=True)
    return click, world.found_wrong


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ((DONE,), "done"),
        ((DONE, USED, USED), "done"),
        ((REFUSED, USED, OTHER), "refused"),
        ((LOST, USED), "unknown"),
        ((AWAY, OTHER), "unknown"),
        ((LOST, DONE), "done"),
        ((AWAY, REFUSED), "refused"),
        ((), "refused"),
    ],
)
def test_a_link_has_one_outcome_however_often_it_is_pressed(answers: tuple[Any, ...], outcome: str) -> None:
    click, wrong = pressed(*answers)
    assert (click.outcome, wrong) == (outcome, [])
    assert click.act.why == ("changed_meanwhile" if outcome == "refused" and answers else "")


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ((USED,), "nobody had pressed it before"),
        ((OTHER,), "nobody had pressed it before"),
        ((DONE, DONE), "is taken once more; it was done before"),
        ((REFUSED, DONE), "is taken once more; it was refused before"),
        ((WRONG,), "is told InputRefused"),
    ],
)
def test_what_a_link_cannot_have_been_told_is_said(answers: tuple[Any, ...], told: str) -> None:
    _, (wrong,) = pressed(*answers)
    assert told in wrong


@pytest.mark.parametrize(("opens", "early"), [(True, timedelta(0)), (False, timedelta(microseconds=1))])
def test_a_link_that_ends_at_another_time_is_told(*, opens: bool, early: timedelta) -> None:
    world = World(Settings(1, requests=1, strength=0))
    click = world.agents.clicks.of("token", MAIL, "ask", MADE_AT)
    now = MADE_AT.replace(microsecond=0) + LASTS - early
    world.agents.clicks.opened(click, opens=not opens, now=now)
    assert world.found_wrong == []
    world.agents.clicks.opened(click, opens=opens, now=now)
    assert len(world.found_wrong) == 1


def test_a_town_whose_first_clicks_are_told_used_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    fold = Core.fold

    def careless(self: Any, inputs: Any, known: Any, taken: Any, *more: Any, **named: Any) -> Any:
        links = {(one.ticket.source, one.ticket.id): (one.ticket.digest, one.request_id) for one in inputs if one.ticket}
        return fold(self, inputs, known, taken | {name: had for name, had in links.items() if name[0] == "link"}, *more, **named)

    monkeypatch.setattr(Core, "fold", careless)
    assert any("nobody had pressed it before" in line for line in run(Settings(3, requests=10, strength=0)).broken)
