"""Business software: it works queues by commands, repeats itself, and sometimes asks for what is none of its business."""

from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from shared.events.envelope import encode_value
from shared.events.handling import Action
from shared.events.inbound import CommandIssued
from tests.judge.evidence import SOFTWARE, Act
from tests.simulation.agents import ACTIONS
from tests.simulation.scheduler import DAY, HOUR, instant, pause

if TYPE_CHECKING:
    from tests.simulation.world import World

_HEADERS = (("ce_specversion", b"1.0"), ("ce_type", CommandIssued.type_.encode()), ("content-type", b"application/json"))


async def work(world: "World", number: int, random: Random) -> None:
    """Issue one command about some request that exists, or about one that does not."""
    await pause(int(random.random() * random.choice((world.spread, DAY, 5 * DAY))))
    accepted = list(world.requests)
    stranger = not accepted or random.random() < 0.08
    request_id = UUID(int=random.getrandbits(128)) if stranger else random.choice(accepted)
    row = world.groups["intake"].tables.requests.get(request_id)
    authority = row.authority if row else "rivemont"
    foreign = random.random() < 0.04
    if foreign:
        authority = next(code for code in world.installation.authorities if code != authority)
    action: Action = random.choices(ACTIONS, (40, 4, 4, 26, 26))[0]
    life = world.groups["router"].tables.state(request_id)
    command = CommandIssued(
        request_id=request_id,
        authority=authority,
        at=instant(world.scheduler.now),
        action=action,
        service=random.choice(tuple(world.installation.authority(authority).services)) if action == "transfer" else None,
        expected_version=(life.version or None) if life is not None and random.random() < 0.5 else None,
    )
    value = encode_value(command)
    headers = (*_HEADERS, ("ce_source", b"/software/voirie"), ("ce_id", f"{world.seed}-{number}".encode()))
    times = 2 if random.random() < 0.2 else 1
    for _ in range(times):
        world.log.append("commands.v1", str(request_id).encode(), headers, value)
        world.note(f"business software wants to {action}", request_id)
        await pause(int(random.random() * HOUR))
    world.count(f"software: {action}" + (" of a stranger" if stranger else " elsewhere" if foreign else ""))
    if times > 1:
        world.count("software: issued twice")
    if not stranger:
        acts = world.history.acts
        assert acts is not None, "the world counts acts"
        acts.append(Act(request_id, action, "unknown", "a command", command.expected_version, SOFTWARE, command.service))
