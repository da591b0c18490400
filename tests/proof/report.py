"""What a figure looks like: a table for people, JSON for machines, an exit code for CI."""

import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.local import folders

RESULTS = folders.LOCAL / "proof"


@dataclass
class Figure:
    """One measured figure and its goal. `value` is already a ratio or a percentile: what the goal speaks of."""

    id: str
    what: str
    value: float
    goal: str
    met: bool
    rounds: dict[str, list[float]] = field(default_factory=dict)
    """The raw measures behind it, by variant, a number per round."""


def median(values: list[float]) -> float:
    """Return the middle one."""
    return statistics.median(values)


def machine() -> str:
    """Describe the machine in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def shown(value: float) -> str:
    """Return a number with the digits that say something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def read(name: str) -> dict[str, Any]:
    """Return what a proof wrote the last time. Stops, saying how to make it, when it never did. Any: JSON."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        sys.exit(f"{path} is not there: `python -m tests.proof {name}` writes it")
    told: dict[str, Any] = json.loads(path.read_text())
    return told


def conclude(figures: list[Figure], *, name: str, folder: Path) -> int:
    """Print the table, write `folder/<name>.json`, return the exit code: 1 when a goal was missed."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    print(f"\n{name}: {today}, commit {commit}, {machine()}")
    for figure in figures:
        verdict = "met   " if figure.met else "MISSED"
        print(f"  {figure.id:5} {verdict} {figure.value:10.3g}   goal {figure.goal:14} {figure.what}")
        for variant, values in figure.rounds.items():
            print(f"               {variant:16} median {shown(median(values)):>8}   rounds {' '.join(map(shown, values))}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    told = {"date": today, "commit": commit, "machine": machine(), "figures": [asdict(one) for one in figures]}
    path.write_text(json.dumps(told, indent=1))
    print(f"  written to {path}", file=sys.stderr)
    return 0 if all(figure.met for figure in figures) else 1
