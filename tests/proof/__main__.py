"""`python -m tests.proof <name>`: measures, prints a table, writes JSON, exits 1 on a miss."""

import argparse
import asyncio
import sys
from pathlib import Path

from deploy.local import folders
from shared.memory import tune_collector
from tests.proof import fold_speed, intake_speed
from tests.proof.report import Figure, conclude

NAMES = {
    "fold": "fold: P3, the router's shell beside a bare loop and the naive way",
    "intake": "intake: P1, the HTTP intake beside bare FastAPI and the naive way",
}
RESULTS = folders.LOCAL / "proof"


async def _measure(name: str, folder: Path, *, short: bool) -> list[Figure]:
    match name:
        case "fold":
            count = 10_000 if short else 40_000
            return await fold_speed.measure(folder, rounds=3, count=count, naive_count=count // 50)
        case "intake":
            return await intake_speed.measure(folder, rounds=3, count=3000 if short else 12_000)
        case _:
            raise ValueError(name)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument("name", choices=sorted(NAMES), help="; ".join(NAMES.values()))
    parser.add_argument("--short", action="store_true", help="fewer events, as CI does")
    chosen = parser.parse_args()
    folders.sweep_dead_runs()
    folder = folders.own_run()
    tune_collector()  # as the services do; the references gain by it too
    try:
        figures = asyncio.run(_measure(chosen.name, folder, short=chosen.short))
    finally:
        folders.remove(folder)
    return conclude(figures, name=chosen.name, folder=RESULTS)


if __name__ == "__main__":
    sys.exit(main())
