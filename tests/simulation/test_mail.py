"""A mail that its server takes and sends back later: it is told as sent, once, and nobody hears of it."""

from datetime import UTC, datetime
from uuid import UUID

from services.notifier.domain.correspondence import Letter
from tests.simulation.mail import Envelope
from tests.simulation.run import run
from tests.simulation.settings import Settings
from tests.simulation.world import World


def letters_told(world: World, outcome: str) -> list[tuple[UUID, str]]:
    states = {one: world.groups["notifier"].tables.state(one) for one in world.requests}
    return [
        (one, name) for one, known in states.items() if known is not None for name in known.done if known.done[name] == outcome
    ]


def returned(world: World, request_id: UUID, name: str) -> list[str]:
    letter = Letter("receipt", "usager", datetime(2026, 3, 3, tzinfo=UTC))
    world.mail.bounce(Envelope(request_id, name, letter, 1, None, "rivemont"))
    return list(world.mail.mistold_bounces())


def test_a_letter_that_comes_back_and_is_told_as_failed_breaks_the_seed() -> None:
    world = run(Settings(3, requests=40, strength=0), check=False).world
    assert returned(world, *letters_told(world, "sent")[0]) == []
    request_id, name = letters_told(world, "failed")[0]
    assert returned(world, request_id, name) == [
        f"9 bounced: {name} of {request_id} was taken and came back, it is told as failed"
    ]


def test_letters_come_back_and_no_invariant_breaks() -> None:
    outcomes = [run(Settings.of(seed)) for seed in range(1, 9)]
    assert any(outcome.world.mail.outcomes["bounced"] for outcome in outcomes)
    assert [line for outcome in outcomes for line in outcome.broken] == []
