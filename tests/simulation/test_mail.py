"""A mail that its server takes and sends back later: it is told as sent, once, and nobody hears of it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from services.notifier.domain.correspondence import Letter
from tests.simulation.mail import Envelope, Line
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


async def handed_over(name: str) -> tuple[World, Line]:
    """Have a sender hand over a mail that is still to be sent, as far as is committed, or was told as sent."""
    world = run(Settings(3, requests=40, strength=0), check=False).world
    request_id, told = letters_told(world, "sent")[0]
    process, letter = world.groups["notifier"].processes[0], Letter("receipt", "usager", datetime(2026, 3, 3, tzinfo=UTC))
    tables: Any = process.group.tables
    if name == "pending":
        known = replace(tables.state(request_id), letters={told: letter}, done={})
        tables.state = lambda _: known
    line = Line(process)
    await line.send(Envelope(request_id, told, letter, 1, None, "rivemont"))
    return world, line


@pytest.mark.parametrize(("name", "times"), [("pending", 1), ("sent", 0)])
async def test_a_death_excuses_what_is_still_to_be_sent_alone(name: str, times: int) -> None:
    world, line = await handed_over(name)
    line.lost()
    assert world.mail.unnoted.total() == times


@pytest.mark.parametrize(("late", "times"), [(1, 1), (0, 0)])
async def test_what_was_told_of_has_no_excuse_unless_its_lease_was_over(late: int, times: int) -> None:
    world, line = await handed_over("pending")
    line.leased_until = world.scheduler.now - late
    line.noted()
    line.lost()
    assert world.mail.unnoted.total() == times


def test_letters_come_back_and_no_invariant_breaks() -> None:
    outcomes = [run(Settings.of(seed)) for seed in range(1, 9)]
    assert any(outcome.world.mail.outcomes["bounced"] for outcome in outcomes)
    assert [line for outcome in outcomes for line in outcome.broken] == []
