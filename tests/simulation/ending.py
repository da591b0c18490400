"""How a town comes to rest: faults end, clocks are set, the operator settles what is parked, everything is taken and told."""

from typing import TYPE_CHECKING, Final

from tests.simulation.scheduler import DAY, HOUR, MINUTE, instant
from tests.simulation.watch import is_followed

if TYPE_CHECKING:
    from tests.simulation.world import World

ACTIVE: Final = 11 * DAY
"""How long usagers, agents and faults go on: shorter than the archive of the outboxes."""
LOOKS: Final = 200
AFTERWARDS: Final = 4 * DAY


def play(world: "World") -> None:
    """Run a town from its first request to its rest."""
    world.begin()
    world.scheduler.run(world.began + ACTIVE)
    world.over = True
    _mend(world)
    _rest(world)
    world.history.quiet_at = instant(world.scheduler.now)
    world.scheduler.run(world.scheduler.now + AFTERWARDS)
    _rest(world)
    world.history.checked_at = instant(world.scheduler.now - MINUTE)


def _mend(world: "World") -> None:
    """End every fault."""
    for group in world.groups.values():
        group.armed.clear()
        group.poison.clear()
        group.away_until = 0
        for process in group.processes:
            process.skew = 0
            process.wrong_clock.clear()
            process.organisation.current = world.installation
    world.mail.away_until = world.mail.delaying_until = 0


def _rest(world: "World") -> None:
    """Run until nothing is left to do; else say what is."""
    for look in range(LOOKS):
        world.scheduler.run(world.scheduler.now + (10 * MINUTE if look < LOOKS // 2 else HOUR))
        if not (left := what_is_left(world)):
            return
        _repair(world)
        world.operator.call()
    world.violate(f"13 no rest: {left}")


def _repair(world: "World") -> None:
    """Publish again what was lost and is not in the log yet; a last event is missed by nobody until the next one comes."""
    world.unnoticed |= {name for name in world.losses if name not in world.told_gaps and not is_followed(world.log, *name)}
    for _, request_id, _ in list(world.losses):
        world.republish(request_id)


def what_is_left(world: "World") -> str:
    """Say what keeps the town from rest, "" when nothing does."""
    for group in world.groups.values():
        tables = group.tables
        if not all(process.alive for process in group.processes):
            return f"a copy of {group.name} is dead"
        if held := tables.locks.held:
            return f"{group.name} has {len(held)} rows locked, such as {held[0]}"
        if tables.pending:
            return f"{len(tables.pending)} records of {group.name} are to be published"
        for place in group.owner:
            if tables.positions.get(place, 0) != world.log.end(place):
                return f"{group.name} stands at {tables.positions.get(place, 0)} of {place}, which ends at {world.log.end(place)}"
        if tables.parked.open:
            return f"{group.name} has {len(tables.parked.open)} parked records, such as {tables.parked.open[0]['detail']}"
    if world.losses:
        return f"{len(world.losses)} events are not in the log"
    if world.rows.letter:
        return f"{len(world.rows.letter)} letters are to be sent"
    return ""
