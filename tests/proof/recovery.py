"""R4: the log destroyed, and PostgreSQL restored to an earlier time; the pages of docs/operations followed line by line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.proof.options import Options
from tests.proof.report import Figure
from tests.recovery.stories import Outcome, lose_kafka, restore_postgresql
from tests.scene import Scene

_SHORT_SECONDS = 9.0
_SECONDS = 300.0
"""How long ago the database is restored to, in the long form: 5 minutes."""


async def prove(options: Options) -> list[Figure]:
    """Run both disasters, the second also without escrow and with the services stopped at once. `minutes`: see `catalogue`."""
    seconds = _SHORT_SECONDS if options.short else _SECONDS
    if options.minutes is not None:
        seconds = options.minutes * 60
    folder = options.folder / "kafka"
    with _scene(folder) as scene:
        figures = kafka_figures(await lose_kafka(scene, folder, seconds=seconds))
    for escrow in (True, False):
        folder = options.folder / f"postgresql-{escrow}"
        told = f"PostgreSQL restored to {seconds:.0f} s earlier, {'with' if escrow else 'without'} escrow"
        with _scene(folder) as scene:
            outcome = await restore_postgresql(scene, folder, seconds=seconds, escrow=escrow, stopped=not escrow)
            figures += postgresql_figures(told, outcome)
    return figures


@contextmanager
def _scene(folder: Path) -> Iterator[Scene]:
    scene = Scene(folder)
    try:
        yield scene
    finally:
        scene.close()


def kafka_figures(outcome: Outcome) -> list[Figure]:
    """Of a lost log everything comes back."""
    what = "Kafka's log destroyed"
    lost, twice = f"{what}: requests lost of {outcome.accepted}", f"{what}: mails sent twice"
    return _figures(what, outcome, lost, twice, f"{outcome.events} events published again")


def postgresql_figures(what: str, outcome: Outcome) -> list[Figure]:
    """What no log had when PostgreSQL ended a restore cannot give back: it is named beside what was lost or repeated besides."""
    answered = outcome.accepted + outcome.forgotten
    lost = f"{what}: requests lost of {answered}, beyond {outcome.forgotten} that no log had"
    twice = f"{what}: mails sent twice, beyond {outcome.mailed_again} that no log had a word of"
    figures = _figures(what, outcome, lost, twice, f"{outcome.events} events taken from the log")
    return [*figures, _forgotten(what, outcome)]


def _figures(what: str, outcome: Outcome, lost: str, twice: str, events: str) -> list[Figure]:
    for line in outcome.broken[:40]:
        print(f"  {line}")
    seconds = f"{what}: seconds to follow the page, {events}"
    return [
        Figure("R4", lost, outcome.lost, "0, of 1 or more", met=outcome.accepted > 0 and outcome.lost == 0),
        Figure("R4", twice, outcome.mailed_twice, "0", met=outcome.mailed_twice == 0),
        Figure("R4", f"{what}: invariants broken", len(outcome.broken), "0", met=not outcome.broken),
        Figure("R4", seconds, outcome.seconds, "<= 300", met=outcome.seconds <= 300),
    ]


def _forgotten(what: str, outcome: Outcome) -> Figure:
    """Without any that had not reached the log when PostgreSQL ended, nothing was tried."""
    last = f"{what}: requests accepted in the last {outcome.forgotten_seconds:.1f} s, and in no log"
    besides = {"acts undone": [float(outcome.undone)], "mails again": [float(outcome.mailed_again)]}
    return Figure("R4", last, outcome.forgotten, "> 0", met=outcome.forgotten > 0, rounds=besides)
