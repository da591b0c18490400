"""What a person reads of a seed that fails: the least found that fails the same way, told in the order in which it happened."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from tests.simulation.faults import Fault
from tests.simulation.run import Outcome, run
from tests.simulation.scheduler import instant
from tests.simulation.settings import Settings

T = TypeVar("T")
MOST_RUNS = 250
MOST_LINES = 80
_REQUEST = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def kind_of(line: str) -> str:
    """Return what stands before the colon: the invariant and how it broke."""
    return line.partition(":")[0]


def shrink(settings: Settings, kind: str) -> tuple[Settings, bool]:
    """Leave out usagers and faults for as long as the same invariant breaks without them; tell whether MOST_RUNS were enough."""
    runs = 0

    def fails(tried: Settings) -> bool:
        nonlocal runs
        runs += 1
        return any(kind_of(line) == kind for line in run(tried).broken)

    numbers = [fault.number for fault in run(settings, check=False).world.faults]
    everybody = list(range(settings.requests))

    def with_faults(kept: list[int]) -> Settings:
        return replace(settings, without=settings.without | (set(numbers) - set(kept)))

    faults = _fewest(numbers, lambda kept: runs < MOST_RUNS and fails(with_faults(kept)))
    settings = with_faults(faults)
    usagers = _fewest(everybody, lambda kept: runs < MOST_RUNS and fails(replace(settings, usagers=frozenset(kept))))
    settings = replace(settings, usagers=frozenset(usagers))
    numbers, before = faults, settings
    faults = _fewest(
        numbers, lambda kept: runs < MOST_RUNS and fails(replace(before, without=before.without | (set(numbers) - set(kept))))
    )
    return replace(before, without=before.without | (set(numbers) - set(faults))), runs < MOST_RUNS


def _fewest(items: list[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """Return a part of the items that fails, of which no single chunk can be left out (delta debugging)."""
    size = max(1, len(items) // 2)
    while items:
        place = 0
        while place < len(items):
            rest = items[:place] + items[place + size :]
            if fails(rest):
                items = rest
            else:
                place += size
        if size == 1:
            return items
        size = max(1, size // 2)
    return items


def tell(settings: Settings, broken: Iterable[str]) -> str:
    """Return the story of a seed that fails: the command, what broke, and the timeline of the request that it broke for."""
    first = next(iter(broken))
    least, is_least = shrink(settings, kind_of(first))
    outcome = run(least, story=True)
    lines = [line for line in outcome.broken if kind_of(line) == kind_of(first)] or [first]
    command = f"make proof NAME=simulation SEED={settings.seed}"
    told = [f"seed {settings.seed} breaks an invariant; to see it again: {command}", f"  {lines[0]}"]
    faults = outcome.world.faults
    usagers = len(least.usagers) if least.usagers is not None else least.requests
    how = "the least that fails alike" if is_least else f"what fails alike, as small as {MOST_RUNS} runs could make it"
    told.append(f"  {how}: {usagers} of {settings.requests} usagers, {len(faults)} faults")
    return "\n".join([*told, *_timeline(outcome, lines[0])])


def _timeline(outcome: Outcome, line: str) -> Iterable[str]:
    """Tell what happened to the requests that the line names, and which faults there were; without a name, what came last."""
    asked = {UUID(found) for found in _REQUEST.findall(line)}
    told: list[str] = []
    for at, what, request_id, fault in outcome.world.story or ():
        if fault is not None or request_id is None or request_id in asked or not asked:
            about = f"  [{str(request_id)[-6:]}]" if request_id is not None else ""
            told.append(f"  {instant(at):%m-%d %H:%M:%S.%f} {_marked(fault)}{what}{about}")
        if what == f"BROKEN: {line}":
            break
    left_out = len(told) - MOST_LINES
    return told if left_out <= 0 else [f"  ... {left_out} lines before", *told[-MOST_LINES:]]


def _marked(fault: Fault | None) -> str:
    return f"* fault {fault.number}: " if fault is not None else ""
