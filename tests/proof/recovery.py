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
        figures = _figures("Kafka's log destroyed", await lose_kafka(scene, folder, seconds=seconds))
    for escrow in (True, False):
        folder = options.folder / f"postgresql-{escrow}"
        told = f"PostgreSQL restored to {seconds:.0f} s earlier, {'with' if escrow else 'without'} escrow"
        with _scene(folder) as scene:
            outcome = await restore_postgresql(scene, folder, seconds=seconds, escrow=escrow, stopped=not escrow)
            figures += [*_figures(told, outcome), _forgotten(told, outcome)]
    return figures


@contextmanager
def _scene(folder: Path) -> Iterator[Scene]:
    scene = Scene(folder)
    try:
        yield scene
    finally:
        scene.close()


def _figures(what: str, outcome: Outcome) -> list[Figure]:
    for line in outcome.broken[:40]:
        print(f"  {line}")
    return [
        Figure("R4", f"{what}: requests lost of {outcome.accepted}", outcome.lost, "0", met=outcome.lost == 0),
        Figure("R4", f"{what}: mails sent twice", outcome.mailed_twice, "0", met=outcome.mailed_twice == 0),
        Figure("R4", f"{what}: invariants broken", len(outcome.broken), "0", met=not outcome.broken),
        Figure("R4", f"{what}: seconds to follow the page", outcome.seconds, "<= 300", met=outcome.seconds <= 300),
    ]


def _forgotten(what: str, outcome: Outcome) -> Figure:
    """What a restore cannot give back: it had not reached the log when PostgreSQL ended. Without any, that was not tried."""
    last = f"{what}: requests accepted in the last {outcome.forgotten_seconds:.1f} s, and in no log"
    besides = {"acts undone": [float(outcome.undone)], "mails again": [float(outcome.mailed_again)]}
    return Figure("R4", last, outcome.forgotten, "> 0", met=outcome.forgotten > 0, rounds=besides)
