"""`python -m tests.proof <name>`: proves or measures, prints a table, writes JSON, exits 1 on a miss."""

import argparse
import importlib
import sys
from collections.abc import Callable, Coroutine
from typing import Final

import uvloop

from deploy.local import folders
from shared.memory import tune_collector
from tests.proof.options import Options
from tests.proof.report import RESULTS, Figure, conclude

Proof = Callable[[Options], Coroutine[None, None, list[Figure]]]

PROOFS: Final[dict[str, tuple[str, str]]] = {
    "chaos": ("tests.chaos.chaos", "R1, R2, faults of every kind on the real thing, then the checker; goes on where it was"),
    "resilience": ("tests.chaos.resilience", "R3, R5, R6, R8, one fault at a time: how long until all is well again"),
    "mutants": ("tests.mutants.prove", "R10, seeded bugs put into a copy of the code, and who notices each"),
    "recovery": ("tests.proof.recovery", "R4, Kafka's log destroyed and PostgreSQL restored, by the runbooks"),
    "fold": ("tests.proof.fold_speed", "P3, the router's shell beside a bare loop and the naive way"),
    "intake": ("tests.proof.intake_speed", "P1, the HTTP intake beside bare FastAPI and the naive way"),
    "deadlines": ("tests.proof.deadline_speed", "P4, deadlines fired beside the same writes bare, and idle looks"),
    "statistics": ("tests.proof.statistics_speed", "P5, events into the aggregates beside a bare loop"),
    "footprint": ("tests.proof.footprint", "P10, memory and CPU while idle, round trips to PostgreSQL per request"),
    "growth": ("tests.proof.growth", "P11, what open requests in the tables cost intake, router and sla"),
    "latency": ("tests.proof.latency", "P2, from the post of a request to the mail at the SMTP server, by rate"),
    "outbox": ("tests.proof.outbox_speed", "P7, from the commit to the acknowledgement, and a backlog beside a bare relay"),
    "mail": ("tests.proof.mail_speed", "P8, mails composed and handed over, and their CPU"),
    "hostile": ("tests.proof.hostile", "S1, S2, S4, hostile requests, tokens, records of the log, and strings in mails"),
    "simulation": (
        "tests.simulation.proof",
        "R0, P12, thousands of towns in one process under every fault; --seed N replays one",
    ),
}
"""Name, the module whose `prove` runs it, and what it is. Loaded when asked for: one proof needs no other's dependencies."""


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:12} {what}" for name, (_, what) in PROOFS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.proof",
        description=f"{__doc__}\n\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=PROOFS, metavar="NAME")
    parser.add_argument("--short", action="store_true", help="the form that CI runs")
    parser.add_argument(
        "--seed",
        type=int,
        help="the seed of all that is drawn; real servers repeat the plan, not the instants",
    )
    parser.add_argument("--minutes", type=float, help="go on for about this long, where a proof can")
    return parser


def main() -> int:
    chosen = _parser().parse_args()
    prove: Proof = importlib.import_module(PROOFS[chosen.name][0]).prove
    folders.sweep_dead_runs()
    folder = folders.own_run()
    tune_collector()  # as the services do; the references gain by it too
    try:
        figures = uvloop.run(prove(Options(folder, short=chosen.short, seed=chosen.seed, minutes=chosen.minutes)))
    finally:
        folders.remove(folder)
    return conclude(figures, name=chosen.name, folder=RESULTS)


if __name__ == "__main__":
    sys.exit(main())
