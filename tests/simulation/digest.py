"""All that a seed came to, in one number: `python -m tests.simulation.digest SEED`, the same in every process."""

import hashlib
import sys

from tests.simulation.findings import gather
from tests.simulation.run import run
from tests.simulation.settings import Settings
from tests.simulation.world import World


def digest(world: World) -> str:
    """Return the digest of the log, of all tables, of the mails and of what happened, in the order in which they are."""
    evidence = gather(world)
    told = hashlib.sha256()
    for one in (*world.log.all(), *evidence.rows.items(), *evidence.mails):
        told.update(repr(one).encode())
    told.update(repr((sorted(world.happened.items()), sorted(world.done.items()), world.scheduler.steps)).encode())
    return told.hexdigest()


if __name__ == "__main__":
    print(digest(run(Settings.of(int(sys.argv[1])), check=False).world))
