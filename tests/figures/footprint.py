"""P10: what each service takes while idle, round trips to PostgreSQL per request, and how soon the demo mails."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.local import address
from deploy.local.town import Town
from shared.events.topics import SERVICES
from tests.figures import demo_speed
from tests.figures.counting_proxy import CountingProxy
from tests.figures.fast_sink import open_sink, port_of
from tests.figures.latency import Watch, run_town
from tests.proof.options import Options
from tests.proof.report import Figure, median

_MOST_MIB, _MOST_PERCENT, _MOST_TRIPS = 110, 1.0, 3.0


@dataclass(frozen=True)
class Round:
    """What a town took: MiB, and percent of a core, of each service while idle; round trips a request, by rate."""

    memory: dict[str, float]
    percent: dict[str, float]
    trips: dict[str, float]


async def _idle(town: Town, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """Return MiB and percent of a core per service, while nothing happens."""
    processes = {service: psutil.Process(town.processes[service].pid) for service in SERVICES}
    before = {service: process.cpu_times() for service, process in processes.items()}
    await asyncio.sleep(seconds)
    memory, percent = {}, {}
    for service, process in processes.items():
        now, then = process.cpu_times(), before[service]
        memory[service] = process.memory_info().rss / 2**20
        percent[service] = 100 * (now.user + now.system - then.user - then.system) / seconds
        print(f"  idle {service}: {memory[service]:.0f} MiB, {percent[service]:.2f} % of a core", flush=True)
    return memory, percent


async def _measure_once(folder: Path, *, idle_seconds: float, load_seconds: float, rates: tuple[int, ...]) -> Round:
    """Return what a new town takes: idle after its first requests, then round trips at each rate."""
    watch = Watch()
    trips: dict[str, float] = {}
    with address.kafka(folder / "kafka") as bootstrap, address.postgres(folder / "postgres") as admin_dsn:
        async with await open_sink(watch.arrived) as sink, CountingProxy(admin_dsn).serving() as proxy:
            town = Town(folder / "town", kafka=bootstrap, admin_dsn=proxy.dsn, smtp=f"smtp://127.0.0.1:{port_of(sink)}")
            town.extra = {"AIGUILLEUR_INTAKE_API_CALLS_A_MINUTE": "0"}
            await town.prepare()
            await asyncio.to_thread(town.start)
            try:
                await run_town(town, watch, rate=100, count=200)
                await asyncio.sleep(5)
                proxy.trips = 0
                memory, percent = await _idle(town, idle_seconds)
                asked = proxy.trips / idle_seconds
                print(f"  idle, all five: {asked:.1f} round trips to PostgreSQL a second", flush=True)
                for rate in rates:
                    count = int(rate * load_seconds)
                    proxy.trips = 0
                    await run_town(town, watch, rate=rate, count=count, settle=False)
                    trips[f"{rate}/s"] = proxy.trips / count
                    print(f"  {rate}/s: {proxy.trips / count:.2f} round trips a request", flush=True)
                    await town.settle()
            finally:
                town.stop()
            await town.remove()  # a server that was given stays, and the next round wants its own town on it
    assert not watch.lost and not watch.repeated, f"{watch.lost} requests reached no agent, {watch.repeated} mails came twice"
    return Round(memory, percent, trips)


async def measure(folder: Path, *, rounds: int, idle_seconds: float, load_seconds: float, rates: tuple[int, ...]) -> list[Figure]:
    """Return P10's figures, but for the demo's."""
    took = []
    for number in range(rounds):
        print(f"  round {number + 1}", flush=True)
        place = folder / str(number)
        took.append(await _measure_once(place, idle_seconds=idle_seconds, load_seconds=load_seconds, rates=rates))
    return figures(took)


def figures(took: list[Round]) -> list[Figure]:
    """Return the figures of rounds: medians, of memory and CPU the largest service's, of round trips those at the last rate.

    The more comes, the larger the batches: at a low rate a request costs more round trips, and there are fewer of them.
    """
    memory, percent, trips = (_by_name([getattr(one, what) for one in took]) for what in ("memory", "percent", "trips"))
    largest, busiest = (max(map(median, told.values())) for told in (memory, percent))
    load = list(trips)[-1]
    asked = median(trips[load])
    return [
        Figure("P10", "memory of the largest service, MiB", largest, f"<= {_MOST_MIB}", largest <= _MOST_MIB, memory),
        Figure("P10", "idle CPU of the busiest service, % of a core", busiest, "<= 1", busiest <= _MOST_PERCENT, percent),
        Figure(
            "P10", f"round trips to PostgreSQL a request, all services, at {load}", asked, "<= 3", asked <= _MOST_TRIPS, trips
        ),
    ]


def _by_name(rounds: list[dict[str, float]]) -> dict[str, list[float]]:
    return {name: [one[name] for one in rounds] for name in rounds[0]}


async def prove(options: Options) -> list[Figure]:
    """P10, by `python -m tests.proof footprint`."""
    rounds = 1 if options.short else 3
    demo = demo_speed.measure(options.folder / "demo", rounds=rounds)
    if options.short:
        return [*await measure(options.folder, rounds=rounds, idle_seconds=5, load_seconds=3, rates=(300,)), *demo]
    return [*await measure(options.folder, rounds=rounds, idle_seconds=30, load_seconds=8, rates=(100, 200, 500)), *demo]
