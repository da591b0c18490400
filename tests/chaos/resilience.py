"""R3, R5, R6, R8: one fault at a time on a town under a steady load, and how long until all is well again."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from shared.events.topics import SERVICES
from tests.chaos import losses
from tests.chaos.alarms import ALARMS
from tests.chaos.crowd import crowd
from tests.chaos.faults import KINDS
from tests.chaos.forgery import Forged, poison, publish
from tests.chaos.overload import flood
from tests.chaos.proxy import FAIR, Weather
from tests.chaos.scene import ChaosScene
from tests.chaos.stage import Fault, Stage
from tests.proof.options import Options
from tests.proof.report import Figure

_RATE: Final = 15.0
_GIVE_UP_SECONDS: Final = 60.0
_HANG_SECONDS: Final = 40.0
_ASSIGNED: Final = """SELECT extract(epoch FROM min(told.created_at) - min(came.created_at))::float8
    FROM intake.outbox AS came LEFT JOIN router.outbox AS told USING (request_id)
    WHERE request_id = ANY($1::uuid[]) GROUP BY request_id"""


@dataclass(frozen=True)
class Form:
    """How long the long parts are."""

    outage_seconds: float
    outage_rate: float
    flood_seconds: float
    kills: int


SHORT: Final = Form(outage_seconds=12, outage_rate=60, flood_seconds=10, kills=1)
LONG: Final = Form(outage_seconds=600, outage_rate=200, flood_seconds=60, kills=5)


@dataclass
class _Town:
    """A scene, its database, and what was measured."""

    scene: ChaosScene
    database: asyncpg.Pool
    form: Form
    figures: list[Figure] = field(default_factory=list)

    def told(self, id: str, what: str, value: float, most: float, rounds: list[float] | None = None) -> None:
        """Note a figure in seconds that may not be larger."""
        print(f"  {id} {what}: {value:.2f} (goal <= {most:g})", flush=True)
        self.figures.append(Figure(id, what, value, f"<= {most:g}", value <= most, {"seconds": rounds} if rounds else {}))

    async def positions(self, service: str) -> int:
        """Return how much a service has taken of the log, in all."""
        return int(await self.database.fetchval(f"SELECT coalesce(sum(next_offset), 0) FROM {service}.position"))

    async def recovers(self, *services: str, seen: dict[str, int], since: float) -> float:
        """Return how long after `since` each of these services had taken more than `seen`, the slowest of them."""
        for service in services:
            while time.monotonic() - since < _GIVE_UP_SECONDS:
                try:
                    if await self.positions(service) > seen[service]:
                        break
                except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    pass  # PostgreSQL is the one that is to come back
                await asyncio.sleep(0.02)
        return time.monotonic() - since

    async def seen(self, *services: str) -> dict[str, int]:
        """Return what each service has taken up to now."""
        return {service: await self.positions(service) for service in services}


async def _service_kills(town: _Town) -> None:
    """R3: kill -9 each service; it has taken more of the log within 3 s."""
    took = []
    for _ in range(town.form.kills):
        for service in SERVICES:
            began = time.monotonic()
            await asyncio.to_thread(town.scene.town.processes[service].kill)
            took.append(await town.recovers(service, seen=await town.seen(service), since=began))
            await town.scene.orchestrator.all_ready()
            await asyncio.sleep(1.0)
    town.told("R3", "seconds from kill -9 of a service to its next record", max(took), 3, took)


async def _postgres_restart(town: _Town) -> None:
    seen, began = await town.seen(*SERVICES), time.monotonic()
    await asyncio.to_thread(town.scene.postgres.stop_at_once)
    await asyncio.to_thread(town.scene.postgres.restart)
    town.told(
        "R3",
        "seconds from PostgreSQL's stop to all services' next record",
        await town.recovers(*SERVICES, seen=seen, since=began),
        10,
    )
    await asyncio.sleep(2.0)


async def _broker_kill(town: _Town) -> None:
    began = time.monotonic()
    await asyncio.to_thread(town.scene.kafka.kill)
    seen = await town.seen(*SERVICES)
    await asyncio.to_thread(town.scene.kafka.restart)
    town.told(
        "R3",
        "seconds from the broker's kill -9 to all services' next record",
        await town.recovers(*SERVICES, seen=seen, since=began),
        20,
    )
    await asyncio.sleep(2.0)


async def _poison(town: _Town) -> None:
    """R5: the neighbours of poison are assigned as fast as others: all that were accepted until a second ago."""
    spoilt = poison()
    town.scene.history.forged |= spoilt.about
    before = set(town.scene.history.accepted)
    spread: list[Forged] = [(bytes([number]) * 8, b"{", []) for number in range(48)]  # over all partitions
    await publish(town.scene.kafka.bootstrap, "requests.v1", [*spread[:20], *spoilt.records, *spread[20:]])
    await asyncio.sleep(2.0)
    neighbours = list(town.scene.history.accepted - before)
    await asyncio.sleep(1.0)
    rows = await town.database.fetch(_ASSIGNED, neighbours)
    slowest = slowest_seconds([row[0] for row in rows], count=len(neighbours))
    town.told("R5", f"seconds from accepted to assigned beside {len(spread) + len(spoilt.records)} poisoned records", slowest, 1)


def slowest_seconds(took: Sequence[float | None], *, count: int) -> float:
    """Return the longest of `count` waits; one that is not over (None), or of which nothing is known, counts as given up."""
    known = [one for one in took if one is not None]
    return max(known) if 0 < count == len(known) else _GIVE_UP_SECONDS


async def _hang(town: _Town, name: str, what: str, begin: Callable[[], object], end: Callable[[], object]) -> None:
    """R6: how long until somebody says so, by the table of alarms."""
    began = time.monotonic()
    await asyncio.to_thread(begin)
    while time.monotonic() - began < _HANG_SECONDS:
        await asyncio.sleep(0.25)
        if ALARMS[name].says(town.scene.observer.between(began, time.monotonic(), ["router"])):
            break
    town.told("R6", f"seconds until {what} is told", time.monotonic() - began, 15)
    await asyncio.to_thread(end)
    ended = time.monotonic()
    while time.monotonic() - ended < _GIVE_UP_SECONDS:
        said = town.scene.observer.latest["router"]
        if said.at > ended and said.is_well:
            return
        await asyncio.sleep(0.2)


async def _hangs(town: _Town) -> None:
    proxy, process = town.scene.proxy, town.scene.town.processes["router"]
    half = Weather(up=False, down=False)
    await _hang(town, "zombie", "a frozen service", process.pause, process.resume)
    for server in ("postgres", "kafka"):
        link = [f"{server}.router"]
        await _hang(
            town,
            f"cut {server}",
            f"a half-open connection to {server}",
            lambda link=link: proxy.change(link, half),  # type: ignore[misc]  # the link of this round
            lambda link=link: proxy.change(link, FAIR),  # type: ignore[misc]
        )


async def _rolling_restart(town: _Town, stage: Stage) -> None:
    """R8: no post fails while one service after the other is stopped and started."""
    unknown, red = town.scene.history.unknown, len(town.scene.orchestrator.red)
    await KINDS["restart_all"].make(stage, Fault(0, "restart_all"))
    await asyncio.sleep(2.0)
    failed = town.scene.history.unknown - unknown + len(town.scene.orchestrator.red) - red
    town.told("R8", "posts that failed in a rolling restart", failed, 0)


async def _overload(town: _Town) -> None:
    """R8: five times what intake can do; what it does then, and what the rest is told."""
    port = town.scene.town.ports["intake"]
    calm = await flood(port, rate=None, seconds=min(town.form.flood_seconds, 20), connections=64)
    await town.scene.town.settle(timeout_seconds=300)  # what still works on the calm would slow the storm
    storm = await flood(port, rate=calm.goodput * 5, seconds=town.form.flood_seconds, connections=3000)
    share = storm.goodput / calm.goodput
    print(f"  R8 peak {calm.goodput:.0f}/s; at five times as much {storm}", flush=True)
    town.figures.append(Figure("R8", "goodput at five times the peak, of the peak", share, ">= 0.8", share >= 0.8))
    town.told("R8", "answers to overload that are neither taken nor 503 with Retry-After", storm.wrong, 0)
    town.told("R8", "posts in the overload that had no answer", storm.unknown, 0)
    town.scene.history.accepted |= calm.accepted | storm.accepted
    town.scene.history.unknown += calm.unknown + storm.unknown


async def _outage(town: _Town) -> None:
    """R3: Kafka is away for long; what was accepted meanwhile is taken by everybody soon after."""
    form = town.form
    await asyncio.to_thread(town.scene.kafka.stop)
    took = await flood(town.scene.town.ports["intake"], rate=form.outage_rate, seconds=form.outage_seconds, connections=200)
    town.scene.history.accepted |= took.accepted
    town.scene.history.unknown += took.unknown
    await asyncio.to_thread(town.scene.kafka.restart)
    began = time.monotonic()
    while busy := {name for name in await town.scene.town.under_way() if name != "letters"}:
        if time.monotonic() - began > 300:
            raise TimeoutError(f"still under way after 300 s: {busy}")
        await asyncio.sleep(0.2)
    what = f"seconds to drain {form.outage_seconds:.0f} s of outage at {len(took.accepted) / form.outage_seconds:.0f}/s"
    town.told("R3", what, time.monotonic() - began, 60)
    print("  the mails of the outage go out", flush=True)
    await town.scene.town.settle(timeout_seconds=120 + 10 * form.outage_seconds)


async def _orderly(town: _Town) -> None:
    """What comes first, as nothing was killed yet: no mail twice (R2)."""
    async with crowd(town.scene, rate=_RATE) as load:
        await _rolling_restart(town, Stage(town.scene, load))
    await town.scene.town.settle()
    mails = await asyncio.to_thread(town.scene.sink.mails)
    town.told("R2", "mails that came twice with nothing killed", len(mails) - len({one["message_id"] for one in mails}), 0)


async def _broken(town: _Town) -> None:
    async with crowd(town.scene, rate=_RATE):
        for part in (_service_kills, _postgres_restart, _broker_kill, _poison, _hangs):
            await part(town)


async def prove(options: Options) -> list[Figure]:
    """R3, R5, R6, R8, by `python -m tests.proof resilience`."""
    scene = await asyncio.to_thread(ChaosScene, options.folder / "town")
    watching: list[asyncio.Task[None]] = []
    try:
        await scene.open()
        watching = [asyncio.create_task(scene.observer.serve()), asyncio.create_task(scene.orchestrator.serve())]
        async with asyncpg.create_pool(scene.town.admin_dsn, min_size=0, max_size=2, command_timeout=5) as database:
            town = _Town(scene, database, SHORT if options.short else LONG)
            for part in (_orderly, _broken, _overload, _outage):
                await part(town)
        print("  everything was healed; the checker looks", flush=True)
        losses.note(scene.history, (), scene.orchestrator.deaths)
        _, broken = await scene.heal_and_look(climb=False)
        broken += [f"red: {one}" for one in scene.orchestrator.red]
        print("\n".join(broken[:20]), file=sys.stderr)
        return [*town.figures, Figure("R1", "violations of the invariants after all of it", len(broken), "= 0", not broken)]
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        await asyncio.to_thread(scene.close)
