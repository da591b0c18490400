"""What a figure looks like: a table for people, JSON for machines, an exit code for CI."""

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.local import folders
from tests.proof.catalogue import PROOFS
from tests.proof.options import Options

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


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed; there must be one."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def machine() -> str:
    """Describe the machine in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def shown(value: float) -> str:
    """Return a number with the digits that say something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def commit() -> str:
    """Return the commit of the tree, followed by + when files of it were changed; empty where there is no git."""
    asked = ["git", "describe", "--always", "--exclude=*", "--dirty=+"]
    return subprocess.run(asked, capture_output=True, text=True, check=False, cwd=folders.ROOT).stdout.strip()


def find(name: str, *, folder: Path | None = None) -> dict[str, Any] | None:
    """Return what the last run of a long form wrote, if it came to its end; None otherwise. Any: JSON.

    Short forms, and runs with --seed or --minutes, are kept in files of other names.
    """
    path = (folder or RESULTS) / f"{name}.json"
    told: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return told if told.get("form") == "long" else None


@dataclass(frozen=True)
class Run:
    """A run of a proof that has begun: what its figures are attributed to."""

    name: str
    options: Options
    date: str
    path: Path

    @property
    def is_part(self) -> bool:
        """Tell whether an option keeps it from running the whole form."""
        return any(getattr(self.options, option) is not None for option in PROOFS[self.name].bounds)

    @property
    def form(self) -> str:
        """Say what runs, such as `part of the long form (--minutes 5)`."""
        options = self.options
        given = [
            f"--{name} {value:g}" for name, value in (("seed", options.seed), ("minutes", options.minutes)) if value is not None
        ]
        form = f"{'part of the ' * self.is_part}{'short' if options.short else 'long'} form"
        return f"{form} ({', '.join(given)})" if given else form

    def conclude(self, figures: list[Figure]) -> int:
        """Print the table, write the JSON, return the exit code: 1 when a goal was missed."""
        options = self.options
        print(f"\n{self.name}, {self.form}: {self.date}, commit {options.commit or 'unknown'}, {machine()}")
        for figure in figures:
            verdict = "met   " if figure.met else "MISSED"
            print(f"  {figure.id:5} {verdict} {figure.value:10.3g}   goal {figure.goal:14} {figure.what}")
            for variant, values in figure.rounds.items():
                print(f"               {variant:16} median {shown(median(values)):>8}   rounds {' '.join(map(shown, values))}")
        told: dict[str, Any] = {"date": self.date, "commit": options.commit, "machine": machine()}
        told |= {"form": "short" if options.short else "long", "part": self.is_part}
        told |= {"seed": options.seed, "minutes": options.minutes}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(told | {"figures": [asdict(one) for one in figures]}, indent=1))
        print(f"  written to {self.path}", file=sys.stderr)
        return 0 if all(figure.met for figure in figures) else 1


def begin(name: str, options: Options, *, folder: Path) -> Run:
    """Note when a run begins, and remove the result of the one before: it would be taken for that of one that breaks off."""
    marks = [
        *(["short"] if options.short else []),
        *([f"seed-{options.seed}"] if options.seed is not None else []),
        *([f"minutes-{options.minutes:g}"] if options.minutes is not None else []),
    ]
    path = folder / ".".join([name, *marks, "json"])
    path.unlink(missing_ok=True)
    return Run(name, options, f"{datetime.now(UTC):%Y-%m-%d}", path)
