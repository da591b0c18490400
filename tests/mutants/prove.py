"""`python -m tests.proof mutants`: puts each seeded bug into a copy of the code, and sees who notices (R10)."""

import asyncio
import math
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from deploy.local import folders
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Catcher, Mutant
from tests.mutants.table import Line, as_markdown, as_page, as_text
from tests.mutants.tree import TESTS_FAILED, Tree, Trial
from tests.proof.options import Options
from tests.proof.report import Figure

WANTED: Final = 25
SIDE_BY_SIDE: Final = 2
RESULTS: Final = folders.LOCAL / "proof"
_FAILED: Final = re.compile(r"^FAILED [^\s\[]+::(\w+)", re.MULTILINE)
"""A test that failed, in pytest's summary: by an assertion or an error of its own, not of what it was given."""
PAGE: Final = folders.ROOT / "docs" / "mutants.md"


class Uncaught(Exception):
    """A catcher fails without any bug, or cannot be run: what it says of a bug means nothing."""


@dataclass(frozen=True)
class Work:
    """A bug, and one who has to notice."""

    mutant: Mutant
    catcher: Catcher


async def prove(options: Options) -> list[Figure]:
    """Try every mutant; in the short form those that somebody notices without a server. The long form writes the page, too.

    `seed` draws which come first; with `minutes` only those are tried that begin in time, after the catchers were tried alone.
    """
    works = [Work(one, catcher) for one in MUTANTS for catcher in (one.quick if options.short else one.catchers)]
    trees = [Tree(options.folder / f"tree{place}") for place in range(SIDE_BY_SIDE)]
    try:
        await _control(trees, works)
        lines = await _try_all(trees, drawn(works, options.seed), minutes=options.minutes)
    finally:
        for tree in trees:
            await tree.close()
    order = {one: place for place, one in enumerate(works)}
    lines.sort(key=lambda line: order[Work(line.mutant, line.catcher)])
    print(as_text(lines))
    if options.minutes is not None:
        return [_part(lines)]
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"mutants{'.short' * options.short}.md").write_text(as_markdown(lines))
    if not options.short:
        PAGE.write_text(as_page(lines, tried=f"Tried on {datetime.now(UTC):%d %B %Y}, commit {options.commit or 'unknown'}."))
    return [_figure(lines, short=options.short), *([] if options.short else _kinds(lines))]


async def _control(trees: Sequence[Tree], works: Sequence[Work]) -> None:
    """See that every catcher is content with the code as it is. Raises Uncaught."""
    names = sorted({test for one in works for test in one.catcher.tests})
    print(f"without any bug: {len(names)} files and tests", flush=True)
    shares = [Catcher(tuple(names[place :: len(trees)]), "") for place in range(len(trees))]
    trials = await asyncio.gather(*(tree.run(share) for tree, share in zip(trees, shares, strict=True) if share.tests))
    for trial in trials:
        if trial.exit_code != 0:
            raise Uncaught(f"without any bug a catcher fails:\n{trial.tail()}")
        print(f"  pass, in {trial.seconds:.0f} s", flush=True)


def drawn(works: Sequence[Work], seed: int | None) -> list[Work]:
    """Return what there is to do in the order of a seed: the catchers of a mutant one after the other; None: as it is listed."""
    names = list(dict.fromkeys(one.mutant.name for one in works))
    if seed is not None:
        random.Random(seed).shuffle(names)
    place = {name: number for number, name in enumerate(names)}
    return sorted(works, key=lambda one: place[one.mutant.name])


async def _try_all(trees: Sequence[Tree], works: Sequence[Work], *, minutes: float | None) -> list[Line]:
    """Return a line for each that was tried, in no order; past `minutes` no further one begins."""
    left = list(reversed(works))
    lines: list[Line] = []
    until = math.inf if minutes is None else time.monotonic() + minutes * 60

    async def work(tree: Tree) -> None:
        while left and time.monotonic() < until:
            one = left.pop()
            with tree.mutated(one.mutant):
                trial = await tree.run(one.catcher)
            lines.append(Line(one.mutant, one.catcher, is_caught=is_caught(one.catcher, trial), seconds=trial.seconds))
            print(f"  {len(lines)}/{len(works)} {lines[-1].verdict:8} {one.mutant.name} ({trial.seconds:.0f} s)", flush=True)
            if not lines[-1].is_caught:
                print(trial.tail(), flush=True)

    await asyncio.gather(*(work(tree) for tree in trees))
    return lines


def is_caught(catcher: Catcher, trial: Trial) -> bool:
    """A test failed, by itself, and it is the one that had to, or what it found is.

    A copy that cannot even be loaded is nobody's catch, nor is a server that did not start: pytest calls that an ERROR.
    """
    failed = set(_FAILED.findall(trial.output))
    if trial.exit_code != TESTS_FAILED or not failed:
        return False
    if catcher.kind == "test":
        return catcher.says in failed
    return any(catcher.says in line for line in trial.output.splitlines() if line.startswith("E "))


def _part(lines: Sequence[Line]) -> Figure:
    tried, caught = _counted(lines)
    what = f"seeded bugs caught, of {tried} that were tried, of {len(MUTANTS)}"
    return Figure("R10", what, caught, f"all {tried}, >= 1", met=1 <= caught == tried)


def _counted(lines: Sequence[Line]) -> tuple[int, int]:
    """Return how many mutants were tried, and how many were caught by all who tried."""
    tried = {line.mutant.name for line in lines}
    return len(tried), len(tried - {line.mutant.name for line in lines if not line.is_caught})


def _figure(lines: Sequence[Line], *, short: bool) -> Figure:
    tried, caught = _counted(lines)
    what = f"seeded bugs caught, of {tried}" + f", which are noticed without a server, of {len(MUTANTS)}" * short
    return Figure("R10", what, caught, f"all {tried}, >= {WANTED}", met=WANTED <= caught == tried)


def _kinds(lines: Sequence[Line]) -> list[Figure]:
    """How many are caught by the simulation, and how many on real parts: each kind of proof has to be able to fail."""
    wanted = {"simulation": 8, "chaos": 3}
    caught = {kind: {line.mutant.name for line in lines if line.is_caught and line.catcher.kind == kind} for kind in wanted}
    return [
        Figure("R10", f"seeded bugs caught by {kind}", len(caught[kind]), f">= {least}", met=len(caught[kind]) >= least)
        for kind, least in wanted.items()
    ]
