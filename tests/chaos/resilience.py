"""R0, R3, R5, R6, R8: one fault at a time on a town under a steady load, and how long until all is well again."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import asyncpg

from tests.chaos import losses
from tests.chaos.crowd import crowd
from tests.chaos.hangs import hangs
from tests.chaos.intruders import out_of_turn, poisoned
from tests.chaos.restarts import broker_kills, outage, postgres_restarts, rolling_restart, service_kills
from tests.chaos.scene import ChaosScene
from tests.chaos.storm import storm
from tests.chaos.trial import LONG, SHORT, Form, Trial, drawn_order
from tests.proof.options import Options
from tests.proof.report import Figure

_RATE: Final = 15.0
_PAUSE_SECONDS: Final = 1.0


async def _orderly(trial: Trial) -> None:
    """What comes first, as nothing was killed yet: no mail twice (R2)."""
    await rolling_restart(trial)
    await trial.scene.town.settle()
    mails = await asyncio.to_thread(trial.scene.sink.mails)
    trial.note(repeated(mails))


def repeated(mails: Sequence[Mapping[str, Any]]) -> Figure:
    """Return R2's figure: where no mail came at all, none that came once proves anything. Any: what the sink tells of a mail."""
    twice = len(mails) - len({one["message_id"] for one in mails})
    what = f"of {len(mails)} mails, those that came twice with nothing killed"
    return Figure("R2", what, twice, "<= 0, of 1 or more", bool(mails) and twice == 0)


async def _broken(trial: Trial) -> None:
    async with crowd(trial.scene, rate=_RATE):
        for part in (service_kills, poisoned, out_of_turn, postgres_restarts, broker_kills, hangs):
            await _timed(trial, part)
            await asyncio.sleep(_PAUSE_SECONDS)


async def _timed(trial: Trial, part: Callable[[Trial], Awaitable[None]]) -> None:
    began = time.monotonic()
    await part(trial)
    print(f"  {part.__name__.strip('_')}: {time.monotonic() - began:.0f} s in all", flush=True)


def _form(options: Options) -> Form:
    form = SHORT if options.short else LONG
    return form if options.minutes is None else replace(form, outage_seconds=options.minutes * 60)


async def prove(options: Options) -> list[Figure]:
    """R0, R3, R5, R6, R8, by `python -m tests.proof resilience`."""
    scene = await asyncio.to_thread(ChaosScene, options.folder / "town")
    watching: list[asyncio.Task[None]] = []
    try:
        await scene.open()
        watching = [asyncio.create_task(scene.observer.serve()), asyncio.create_task(scene.orchestrator.serve())]
        async with asyncpg.create_pool(scene.town.admin_dsn, min_size=0, max_size=2, command_timeout=5) as database:
            trial = Trial(scene, database, _form(options), drawn_order(options.seed))
            for part in (_orderly, _broken, storm, outage):
                await _timed(trial, part)
        print("  everything was healed; the checker looks", flush=True)
        losses.note(scene.history, (), scene.orchestrator.deaths)
        _, broken = await scene.heal_and_look(climb=False)
        broken += [f"red: {one}" for one in scene.orchestrator.red]
        print("\n".join(broken[:20]), file=sys.stderr)
        return [*trial.figures, Figure("R1", "violations of the invariants after all of it", len(broken), "= 0", not broken)]
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        await asyncio.to_thread(scene.close)
