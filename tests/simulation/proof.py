"""R0 and P12: `python -m tests.proof simulation`. Thousands of seeds, or one of them with its story.

A run in which some fault, act or event never happened proves nothing about it, and counts as a miss.
"""

import gc
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

from deploy.local import folders
from tests.proof.options import Options
from tests.proof.report import Figure, median
from tests.simulation.run import run
from tests.simulation.scheduler import HOUR
from tests.simulation.settings import SHORT_SEEDS, Settings
from tests.simulation.story import kind_of, tell
from tests.simulation.tally import Tally
from tests.simulation.watch import GAP_NOT_SEEN

LONG_REQUESTS = 1_000_000
LONG_SEEDS = 10_000
FIRST_SEED = 1
CHUNK = 10
ROUND = 20
"""After so many chunks it is said how far it came."""
TOWN = 300
"""Requests of a town-day."""
JUDGED, QUIET = "faults, judged", "quiet, unjudged"
KEPT = folders.LOCAL / "proof" / "simulation.so-far.json"


def run_seeds(first: int, last: int) -> Tally:
    """Run seeds one after the other; thorough ones among them, one in ten."""
    tally = Tally()
    for seed in range(first, last):
        try:
            outcome = run(Settings.of(seed))
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
        world = outcome.world
        tally.seeds += 1
        tally.requests += len(world.history.accepted)
        if world.settings.thorough:
            tally.thorough_seeds += 1
            tally.thorough_requests += len(world.history.accepted)
        tally.faults += world.happened
        tally.acts += world.done
        tally.acts["event read back"] += world.written_down.read_back
        for what, count in world.mail.outcomes.items():
            tally.acts[f"mail {what}"] += count
        for name, agenda in (("deadlines", world.deadlines), ("letters", world.letters)):
            for what, count in agenda.unheard.items():
                tally.acts[f"{name}: {what} unheard"] += count
        for group in world.groups.values():
            tables = group.tables
            tally.events.update(row.outgoing.type for row in tables.outbox)
            tally.acts["waited for a lock"] += tables.locks.waits
            tally.acts["state read back"] += tables.round_trips
            tally.acts["conflict or retry"] += tables.conflicts
            for row in tables.parked.rows.values():
                tally.acts[f"parked {row['why']}"] += 1
                tally.acts[f"settled {row['resolution']}"] += 1
        if outcome.broken:
            tally.broken[seed] = outcome.broken
    return tally


def _ready() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # measured: with 200,000 or more it is slower


def seeds(
    first: int, count: int, *, until: float | None = None, requests: int = 0, so_far: Path | None = None, commit: str = ""
) -> Tally:
    """Run so many seeds on all cores, and on until so many requests were made; or until an instant (monotonic seconds).

    `so_far`: the file in which it keeps what it came to; broken off, it goes on there, as long as the commit is the same.
    """
    tally, began = (so_far and Tally.find(so_far, commit=commit)) or Tally(), time.monotonic()
    before = tally.requests
    if before:
        print(
            f"  {tally.seeds} seeds, {before} requests: as far as an earlier run of this commit came", file=sys.stderr, flush=True
        )
    chunks = iter(range(first + tally.seeds, sys.maxsize, CHUNK))
    with ProcessPoolExecutor(os.cpu_count(), initializer=_ready) as pool:
        while _goes_on(tally, count, until, requests):
            for done in pool.map(_chunk, islice(chunks, ROUND if until is None else os.cpu_count())):
                tally.add(done)
            if so_far is not None:
                tally.save(so_far, commit=commit)
            rate = (tally.requests - before) / (time.monotonic() - began)
            goal = f"of {count}" if until is None else f"{max(0.0, until - time.monotonic()) / 60:.1f} min left"
            print(
                f"  {tally.seeds} seeds {goal}, {tally.requests} requests, {sum(tally.faults.values())} faults, "
                f"{rate:.0f} requests/s, {len(tally.broken)} seeds broken",
                file=sys.stderr,
                flush=True,
            )
    return tally


def _chunk(first: int) -> Tally:
    return run_seeds(first, first + CHUNK)


def _goes_on(tally: Tally, count: int, until: float | None, requests: int) -> bool:
    if until is not None:
        return time.monotonic() < until
    return tally.seeds < count or tally.requests < requests


def town_days(*, rounds: int) -> dict[str, list[float]]:
    """Return how many town-days of 300 requests one core simulates in a minute, a number per round.

    JUDGED: with faults, and looked at by the checker as every seed is. QUIET: without faults, and nothing is looked at.
    """
    _ready()
    rates: dict[str, list[float]] = {JUDGED: [], QUIET: []}
    for seed in range(rounds):
        for kind, of_kind in rates.items():
            began = time.process_time()
            run(_town(seed, strength=1.0 if kind == JUDGED else 0.0), check=kind == JUDGED)
            of_kind.append(60 / (time.process_time() - began))
    return rates


def _town(seed: int, *, strength: float) -> Settings:
    return replace(Settings(seed, requests=TOWN, strength=strength), spread=10 * HOUR)


def stories(tally: Tally, *, most: int = 3) -> Iterator[str]:
    """Tell the first seeds that failed."""
    for seed in sorted(tally.broken)[:most]:
        yield tell(Settings.of(seed), tally.broken[seed])


async def prove(options: Options) -> list[Figure]:
    """Run the seeds; with --seed that one alone, and tell its story if it fails."""
    if options.seed is not None:
        tally = run_seeds(options.seed, options.seed + 1)
        _print(tally)
        print(*stories(tally), sep="\n")
        return [Figure("R0", f"invariants broken by seed {options.seed}", _count(tally), "0", not tally.broken)]
    if options.minutes is not None:
        return _of_seeds(seeds(FIRST_SEED, 0, until=time.monotonic() + options.minutes * 60))
    print("  first, how many towns a minute (P12)", file=sys.stderr, flush=True)
    rates = town_days(rounds=5)
    if options.short:
        tally = seeds(FIRST_SEED, SHORT_SEEDS)
    else:
        tally = seeds(FIRST_SEED, LONG_SEEDS, requests=LONG_REQUESTS, so_far=KEPT, commit=options.commit)
    days = median(rates[JUDGED])
    speed = f"town-days ({TOWN} requests each) a minute on one core, with faults and the checker"
    return [*_of_seeds(tally), Figure("P12", speed, days, ">= 600", days >= 600, rates)]


def _of_seeds(tally: Tally) -> list[Figure]:
    _print(tally)
    print(*stories(tally), sep="\n\n")
    missing = tally.missing()
    unseen = sum(kind_of(line) == GAP_NOT_SEEN for lines in tally.broken.values() for line in lines)
    lost = {how: tally.acts[f"lost event: {how}"] for how in ("seen as a gap", "the last of its request")}
    return [
        Figure(
            "R0",
            f"invariants broken in {tally.seeds} seeds, {tally.requests} requests; "
            f"all were looked at in {tally.thorough_seeds} of them, {tally.thorough_requests} requests",
            _count(tally),
            "0",
            not tally.broken,
        ),
        Figure("R0", "faults, acts and event types that never happened", len(missing), "0", not missing),
        Figure(
            "R0",
            f"lost events that somebody read past without a word; {lost['seen as a gap']:,} were seen as a gap, "
            f"{lost['the last of its request']:,} were the last of their request, which nobody can see until the next comes",
            unseen,
            "0",
            not unseen,
        ),
    ]


def _count(tally: Tally) -> int:
    return sum(map(len, tally.broken.values()))


def _print(tally: Tally) -> None:
    print(f"\n{tally.seeds} seeds, {tally.requests} requests, {sum(tally.events.values())} events")
    for title, counts in (("faults", tally.faults), ("events", tally.events), ("acts", tally.acts)):
        print(f"{title}:")
        for name, count in sorted(counts.items()):
            if name:
                print(f"  {count:10,}  {name}")
    for name in tally.missing() if tally.seeds > 1 else ():
        print(f"  never happened: {name}")
