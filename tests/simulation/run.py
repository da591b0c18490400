"""One seed, from its plan to its verdict."""

from dataclasses import dataclass, field

from shared.delivery.core import describe
from tests.judge.checker import violations
from tests.simulation.ending import play
from tests.simulation.findings import gather
from tests.simulation.quiet import quiet
from tests.simulation.settings import Settings
from tests.simulation.watch import watch
from tests.simulation.world import World


@dataclass
class Outcome:
    """What a seed came to. `broken`: every broken invariant in a line."""

    world: World
    broken: list[str] = field(default_factory=list)


def run(settings: Settings, *, story: bool = False, check: bool = True) -> Outcome:
    """Play a town and judge it."""
    world = World(settings, story=story)
    watch(world)
    with quiet(world.references(), world.written_down.encode):
        try:
            play(world)
        except Exception as error:  # a fault of the services that nothing caught is a finding too
            world.violate(f"0 raised: {error!r} ({describe(error)})")
        finally:
            world.scheduler.close()
    if not check:
        return Outcome(world, world.found_wrong)
    evidence = gather(world)
    world.close()
    found = violations(evidence, world.history, thorough=settings.thorough, seed=settings.seed)
    return Outcome(world, [*world.found_wrong, *found])
