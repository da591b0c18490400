"""`python -m tests.proof <name>`: proves or measures, prints a table, writes JSON, exits 1 on a miss."""

import argparse
import importlib
import math
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine

import uvloop

from deploy.local import folders
from shared.memory import tune_collector
from tests.proof import report
from tests.proof.catalogue import PROOFS, explained, refusals
from tests.proof.options import Options
from tests.proof.report import RESULTS, Figure

Prove = Callable[[Options], Coroutine[None, None, list[Figure]]]


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes") from None
    if not 0 < minutes < math.inf:
        raise argparse.ArgumentTypeError(f"{text} minutes: more than 0 are needed")
    return minutes


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    listed = "\n".join(f"  {name:12} {proof.what}" for name, proof in PROOFS.items())
    made = argparse.ArgumentParser(
        prog="python -m tests.proof",
        description=f"{__doc__}\n\n{listed}\n\nOr: make proof NAME=... [SHORT=1] [SEED=...] [MINUTES=...]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("name", choices=PROOFS, metavar="NAME")
    made.add_argument("--short", action="store_true", help="the form that CI runs")
    made.add_argument("--seed", type=int, help=explained("seed"))
    made.add_argument("--minutes", type=_minutes, help=explained("minutes"))
    return made


def main() -> int:
    """Return the exit code: 1 on a miss, and where a proof broke off; 130 where it was ended.

    Exits with 2 where the command line is wrong.
    """
    line = parser()
    chosen = line.parse_args()
    for refusal in refusals(chosen.name, seed=chosen.seed, minutes=chosen.minutes):
        line.error(refusal)
    prove: Prove = importlib.import_module(PROOFS[chosen.name].module).prove
    folders.sweep_dead_runs()
    folder = folders.own_run()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # its servers have to end, however it ends
    tune_collector()  # as the services do; the references gain by it too
    options = Options(folder, short=chosen.short, seed=chosen.seed, minutes=chosen.minutes, commit=report.commit())
    try:
        return conclude(chosen.name, options, prove)
    finally:
        folders.remove(folder)


def conclude(name: str, options: Options, prove: Prove) -> int:
    """Run a proof and report. Whatever becomes of it, the result of an earlier run is gone; return the exit code."""
    run = report.begin(name, options, folder=RESULTS)
    try:
        figures = uvloop.run(prove(options))
    except Exception as error:
        traceback.print_exc()
        print(f"{name} broke off: {type(error).__name__} {error}. There is no result, nor an earlier one", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{name} was ended. There is no result, nor an earlier one", file=sys.stderr)
        return 130
    return run.conclude(figures)


if __name__ == "__main__":
    sys.exit(main())
