"""One seed: a town, its load, the faults of the plan, healing, and the checker."""

import asyncio
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, get_args

from deploy.local.town import names_of
from tests.chaos import losses
from tests.chaos.alarms import cries, judge
from tests.chaos.crowd import crowd
from tests.chaos.faults import make
from tests.chaos.observer import Sample, publishers
from tests.chaos.orchestrator import Death
from tests.chaos.outcome import Outcome
from tests.chaos.plan import draw
from tests.chaos.scene import ChaosScene
from tests.chaos.stage import Fault, Span, Stage
from tests.judge.delays import climbed_to_the_top
from tests.judge.evidence import Evidence, History, What
from tests.judge.existence import untold_requests

_ENDINGS: Final = (0, -9, -15)
"""How a service may end: it was told to, or killed. -15: told while it had not begun to listen, or had stopped already."""
COPIES: Final = {"router": 2, "sla": 2, "notifier": 2}
"""How many processes a service has, in the seeds with copies."""
_CALM_BEFORE_SECONDS: Final = 8.0
_CALM_AFTER_SECONDS: Final = 3.0
_PROGRESS_SECONDS: Final = 15.0
_SENT_WITHIN: Final = timedelta(seconds=20)
"""How long a mail of an erased request may be under way, the time apart in which the notifier or one of its ways was struck: a
set is sized to a quarter of a second, and two cores that all of this runs on make it several times as long."""
_SERVERS_AWAY: Final = ("broker_kill", "broker_freeze", "postgres_stop", "zombie", "freeze", "disk_full", "lock")


@dataclass(frozen=True)
class Form:
    """How large a seed is."""

    name: str
    rate: float
    seconds: float
    faults: int
    """How many are planned at least."""
    felt: int = 0
    """How many of them may not be known to have met nobody."""
    agents_at_once: int = 4
    climbs_every: int = 1
    """Every so many seeds the clock goes on to the end of every ladder before the checker looks, and it looks at everything."""
    copies_every: int = 0
    """The first of every so many seeds has more than one process of some services; 0: none has."""
    requests: int = 0
    """After the time and the faults the load goes on until so many were accepted, for `most_seconds` in all at most."""
    most_seconds: float = 0.0

    def copies(self, seed: int) -> Mapping[str, int]:
        """Return the services of which a seed has more than one process, and how many."""
        return COPIES if self.copies_every and seed % self.copies_every == 1 % self.copies_every else {}

    def plan(self, seed: int) -> list[Fault]:
        """Return the faults of a seed."""
        return draw(seed, seconds=self.seconds, count=self.faults, copies=self.copies(seed))


async def run_seed(folder: Path, seed: int, form: Form) -> Outcome:
    """Run one seed in a town of its own, which is gone afterwards."""
    outcome = Outcome(seed, form.name, copies=dict(form.copies(seed)))
    began = time.monotonic()
    scene = await asyncio.to_thread(ChaosScene, folder, form.copies(seed))
    try:
        await scene.open()
        outcome.seconds["start"] = time.monotonic() - began
        await _Run(scene, seed, form, outcome).run()
    finally:
        await asyncio.to_thread(scene.close)
    return outcome


class _Run:
    """A seed under way."""

    def __init__(self, scene: ChaosScene, seed: int, form: Form, outcome: Outcome) -> None:
        self._scene = scene
        self._form = form
        self._outcome = outcome
        self._plan = form.plan(seed)
        scene.orchestrator.on_death = self._note_death

    def _note_death(self, death: Death) -> None:
        self._outcome.deaths += 1
        if death.code not in _ENDINGS:
            tail = self._scene.town.processes[death.name].log_tail(4)
            self._outcome.violations.append(f"{death.name} ended by itself, with {death.code}: {tail}")

    async def run(self) -> None:
        """Load and faults, then healing, then the checker."""
        scene, outcome = self._scene, self._outcome
        watching = [asyncio.create_task(scene.observer.serve()), asyncio.create_task(scene.orchestrator.serve())]
        try:
            stage, began = await self._break(), time.monotonic()
            await self._heal()
            outcome.seconds["heal"] = time.monotonic() - began
            await self._check(stage)
            outcome.seconds["check"] = time.monotonic() - began - outcome.seconds["heal"]
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    async def _break(self) -> Stage:
        began = time.monotonic()
        stage: Stage | None = None
        try:
            form = self._form
            async with crowd(self._scene, rate=form.rate, agents_at_once=form.agents_at_once, seed=self._outcome.seed) as load:
                stage = Stage(self._scene, load)
                await self._keep_calm(_CALM_BEFORE_SECONDS)
                await self._play(stage)
                self._outcome.posted = load.posted
        except* Exception as told:  # a wrong answer, or a fault that could not be made: either fails the seed
            self._outcome.violations += [f"a client or a fault: {type(one).__name__} {one}" for one in _leaves(told)]
            traceback.print_exception(told)
        assert stage is not None, "the crowd came"
        self._outcome.posted = stage.load.posted
        self._outcome.seconds["load"] = time.monotonic() - began
        self._outcome.faults = dict(Counter(fault.kind for fault in stage.made))
        self._outcome.unfelt = dict(Counter(fault.kind for fault in stage.made if fault in stage.unfelt))
        self._outcome.points = sorted(stage.reached)
        self._outcome.missed_points = sorted({one.point for one in self._plan if one.kind == "point"} - stage.reached)
        return stage

    async def _keep_calm(self, seconds: float) -> None:
        """Look on while nothing is broken: whoever says something then cries for nothing."""
        began = time.monotonic()
        await asyncio.sleep(seconds)
        seen = [one for one in self._scene.observer.samples if one.at >= began]
        self._outcome.violations += cries(seen, self._scene.town.names())

    async def _play(self, stage: Stage) -> None:
        began = told = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for fault in self._plan:
                while (wait := began + fault.at - time.monotonic()) > 0:
                    await asyncio.sleep(min(wait, 1.0))
                    if time.monotonic() - told > _PROGRESS_SECONDS:
                        told = time.monotonic()
                        print(f"    {told - began:4.0f} s, {len(stage.made)} faults, {stage.load.posted} posts", flush=True)
                group.create_task(make(stage, fault))
            await asyncio.sleep(max(0.0, began + self._form.seconds - time.monotonic()))
        while len(self._scene.history.accepted) < self._form.requests and time.monotonic() - began < self._form.most_seconds:
            await asyncio.sleep(0.2)

    async def _heal(self) -> None:
        scene = self._scene
        await asyncio.to_thread(scene.proxy.heal)
        await asyncio.to_thread(scene.sink.behave)
        scene.town.disarm()
        for process in scene.town.processes.values():
            process.resume()
        await scene.orchestrator.all_ready()

    async def _check(self, stage: Stage) -> None:
        scene, outcome, history = self._scene, self._outcome, self._scene.history
        try:
            losses.note(history, stage.spans, scene.orchestrator.deaths)
            history.longest_send = _SENT_WITHIN
            whole = outcome.seed % self._form.climbs_every == 0
            evidence, broken = await scene.heal_and_look(climb=whole)
        except TimeoutError as late:
            outcome.violations.append(f"no rest: {late}")
            return
        outcome.violations += broken
        outcome.accepted, outcome.unknown, outcome.acts = len(history.accepted), history.unknown, len(history.acts or [])
        outcome.unknown_done = len(untold_requests(evidence, history))
        outcome.mails, outcome.mail_losses = len(evidence.mails), len(history.mail_losses)
        outcome.repeated_mails = sum(count - 1 for count in evidence.message_ids.values())
        mails = await asyncio.to_thread(scene.sink.mails)
        if not any(history.canary in one for mail in mails for one in mail["recipients"]):
            outcome.violations.append("11 the canary reached no mail: that it can be read nowhere else proves nothing")
        if not history.accepted:
            outcome.violations.append("nothing was accepted: the load never reached intake")
        if outcome.copies:
            shares = [names_of(*one) for one in outcome.copies.items()]
            outcome.violations += never_handed_over(scene.observer.samples, shares)
        if whole:
            outcome.violations += left_out(evidence, history)
        names, deaths = scene.town.names(), scene.orchestrator.deaths
        told = judge(stage.spans, deaths, scene.observer.between, names=names, unfelt=stage.unfelt)
        outcome.violations += told.missing
        outcome.alarms_drawn, outcome.alarms_judged = dict(told.drawn), dict(told.judged)
        outcome.recoveries = _recoveries(deaths, stage.spans)
        outcome.red = scene.orchestrator.red
        await self._keep_calm(_CALM_AFTER_SECONDS)


def _recoveries(deaths: Sequence[Death], spans: Sequence[Span]) -> list[float]:
    """Return how long it took from each death to being ready, where nothing else was away or frozen meanwhile."""
    away = [(began, ended) for fault, began, ended in spans if fault.kind in _SERVERS_AWAY or "." in fault.target]
    found = []
    for death in deaths:
        again = death.ready_at
        if again is None:  # it died once more before it was ready
            continue
        if not any(began < again and death.at < ended + 1.0 for began, ended in away):
            found.append(round(again - death.at, 2))
    return found


def never_handed_over(samples: Sequence[Sample], shares: Iterable[Sequence[str]]) -> list[str]:
    """Say so where of no service more than one copy published: the lock of its relay was never anybody else's."""
    handed_over = any(len(publishers(samples, names)) > 1 for names in shares)
    return [] if handed_over else ["the relay of no service was ever another copy's: the run proves nothing of its lock"]


def left_out(evidence: Evidence, history: History) -> list[str]:
    """Return what never happened, so that a run proves nothing about it."""
    done = {act.what for act in history.acts or [] if act.outcome == "done"}
    missing = [f"acts: nobody came to {what}" for what in get_args(What) if what not in done]
    if "done" not in (history.erasures or {}).values():
        missing.append("acts: nobody came to erase")
    steps = (step for life in evidence.told("handling.v1", without=history.forged).values() for step in pairwise(life))
    if not any((one.name, then.name) == ("usager_asked", "usager_replied") for one, then in steps):
        missing.append("acts: no usager answered a question")
    return missing if climbed_to_the_top(evidence) else [*missing, "5 nobody was told at the top of a ladder"]


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [leaf for one in group.exceptions for leaf in (_leaves(one) if isinstance(one, BaseExceptionGroup) else [one])]
