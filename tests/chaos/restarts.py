"""R3, and R8's rolling restart: services and servers that end and come again, and how long until all is well."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from shared.events.topics import NOTIFICATIONS, SERVICES
from tests.chaos.crowd import crowd
from tests.chaos.faults import KINDS
from tests.chaos.overload import Flood, flood
from tests.chaos.stage import Fault, Stage
from tests.chaos.trial import Trial
from tests.proof.report import Figure

_RATE: Final = 15.0
_PREFETCHED_SECONDS: Final = 0.5
"""Within which time after the broker's end a service has dealt with what it had fetched before."""
_CALM_SECONDS: Final = 1.0
_DRAIN_SECONDS: Final = 300.0
_OFFERED: Final = 0.95
"""How much of the rate of an outage its client has to send: it shares the cores with the services."""


async def rolling_restart(trial: Trial) -> None:
    """R8: while one service after the other is stopped and started, each post is taken that is tried again, with its key."""
    history, red = trial.scene.history, len(trial.scene.orchestrator.red)
    unknown = history.unknown
    async with crowd(trial.scene, rate=_RATE) as load:
        await KINDS["restart_all"].make(Stage(trial.scene, load), Fault(0, "restart_all"))
    failed = history.unknown - unknown + len(trial.scene.orchestrator.red) - red
    what = f"of {load.posted} posts, those that failed in a rolling restart, though tried again with their Idempotency-Key"
    trial.told("R8", what, failed, 0, {"seconds until the answer": [load.longest]})


async def service_kills(trial: Trial) -> None:
    """R3: kill -9 each service; it has taken more of the log within 3 s."""
    took = []
    for _ in range(trial.form.kills):
        for service in trial.services:
            began = time.monotonic()
            await asyncio.to_thread(trial.scene.town.processes[service].kill)
            took.append(await trial.recovers(service, seen=await trial.seen(service), since=began))
            await trial.scene.orchestrator.all_ready()
            await asyncio.sleep(0.5)
    trial.told("R3", "seconds from kill -9 of a service to its next record", max(took), 3, {"seconds": took})


async def postgres_restarts(trial: Trial) -> None:
    """R3: PostgreSQL stops at once and comes again, so many times; the slowest of them."""
    took = [await _again(trial, _postgres_restart) for _ in range(trial.form.restarts)]
    trial.told("R3", "seconds from PostgreSQL's stop to all services' next record", max(took), 10, {"seconds": took})


async def broker_kills(trial: Trial) -> None:
    """R3: the broker is killed and comes again, so many times; the slowest of them."""
    took = [await _again(trial, _broker_kill) for _ in range(trial.form.restarts)]
    trial.told("R3", "seconds from the broker's kill -9 to all services' next record", max(took), 20, {"seconds": took})


async def _again(trial: Trial, end: Callable[[Trial], Awaitable[float]]) -> float:
    """End a server once, with all services ready and under way before."""
    await trial.scene.orchestrator.all_ready()
    await asyncio.sleep(_CALM_SECONDS)
    return await end(trial)


async def _postgres_restart(trial: Trial) -> float:
    """Return the seconds from its stop until each service has taken more than it had when PostgreSQL answered again.

    Nothing can be asked in between, and what was taken before the stop is no recovery. So a service that is quicker than our
    question is waited for until its next record: the figure may be too large by that, never too small.
    """
    began = time.monotonic()
    await asyncio.to_thread(trial.scene.postgres.stop_at_once)
    await asyncio.to_thread(trial.scene.postgres.restart)
    return await trial.recovers(*SERVICES, seen=await trial.seen(*SERVICES), since=began)


async def _broker_kill(trial: Trial) -> float:
    """Return the seconds from the broker's end, until each service has taken more than it had while the broker was away."""
    began = time.monotonic()
    await asyncio.to_thread(trial.scene.kafka.kill)
    await asyncio.sleep(_PREFETCHED_SECONDS)
    seen = await trial.seen(*SERVICES)
    await asyncio.to_thread(trial.scene.kafka.restart)
    return await trial.recovers(*SERVICES, seen=seen, since=began)


def _is_of_mails(name: str) -> bool:
    """Whether it is a mail, or what is told of it once it has gone out: how quick that is, the mail server decides (P8)."""
    return name in ("letters", "notifier outbox") or name.endswith(NOTIFICATIONS.name)


async def outage(trial: Trial) -> None:
    """R3: Kafka is away for long; what was accepted meanwhile is taken by everybody, and its mails are in line, soon after."""
    form, town, history = trial.form, trial.scene.town, trial.scene.history
    await asyncio.to_thread(trial.scene.kafka.stop)
    took = await flood(town.ports["intake"], rate=form.outage_rate, seconds=form.outage_seconds, connections=200)
    history.accepted |= took.accepted
    history.unknown += took.unknown
    await asyncio.to_thread(trial.scene.kafka.restart)
    began = time.monotonic()
    while busy := {name for name in await town.under_way() if not _is_of_mails(name)}:
        if time.monotonic() - began > _DRAIN_SECONDS:
            raise TimeoutError(f"still under way after {_DRAIN_SECONDS:.0f} s: {busy}")
        await asyncio.sleep(0.2)
    drained = time.monotonic() - began
    print(f"  taken by everybody after {drained:.1f} s; the mails of the outage go out", flush=True)
    await town.settle(timeout_seconds=120 + 10 * form.outage_seconds)
    for figure in outage_figures(took, rate=form.outage_rate, drained=drained, mailed=time.monotonic() - began):
        trial.note(figure)


def outage_figures(took: Flood, *, rate: float, drained: float, mailed: float) -> list[Figure]:
    """Return R3's figures of an outage: that it was one, that everything was accepted meanwhile, how soon it was taken then.

    mailed: seconds until the last mail had gone out, which the mail server decides (P8): told beside the figure, without a goal.
    """
    least = _OFFERED * rate
    what = f"seconds from the broker's return until all have taken what {took.seconds:.0f} s without it left, but for mails"
    left = took.posted - len(took.accepted)
    return [
        Figure("R3", "posts a second while the broker was away", took.offered, f">= {least:g}", took.offered >= least),
        Figure("R3", f"posts that were not accepted meanwhile, of {took.posted}", left, "<= 0", left == 0),
        Figure("R3", what, drained, "<= 60", drained <= 60, {"until the last mail": [mailed]}),
    ]
