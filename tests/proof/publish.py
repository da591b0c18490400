"""`python -m tests.proof.publish [NAME ...]`: puts the figures that were taken last into docs/performance.md; draws its pictures.

Of what is no figure of that page (the chaos, say) it keeps what the run wrote in docs/proof, for whoever compares.

Without names: all figures of the page. Rows of the others stay as they are, and so do those of a proof whose last run of the
long form did not come to its end: it is named, and the exit code is 1. `--run` takes the figures first, one after the other:
about 25 minutes for all, on a machine that does nothing else.
"""

import argparse
import json
import subprocess
import sys
from statistics import median
from typing import Any

from deploy.local import folders
from tests.proof import pictures
from tests.proof.report import find, shown

DOCS = folders.ROOT / "docs"
PAGE = DOCS / "performance.md"
FIGURES = {
    "intake": "P1",
    "latency": "P2",
    "fold": "P3",
    "deadlines": "P4",
    "statistics": "P5",
    "outbox": "P7",
    "mail": "P8",
    "footprint": "P10",
    "growth": "P11",
}
"""The proof that takes the figures of a goal."""
KEPT = ("simulation", "chaos", "resilience", "recovery", "mutants", "hostile")
"""What docs/proof.md tells of: what its last long form wrote lies beside the page."""
PICTURES = {"latency": pictures.latency, "growth": pictures.growth}
_BEGIN, _END = "<!-- figures: written by python -m tests.proof.publish -->", "<!-- end of figures -->"
_HEAD = ["| goal | what | measured | wanted | | medians behind it | taken |", "|---|---|---|---|---|---|---|"]


def _rows(told: dict[str, Any]) -> list[str]:
    """Return the lines of a table: goal, figure, value, verdict, the medians behind it, when and of which commit."""
    lines = []
    for figure in told["figures"]:
        curve = len(figure["rounds"]) > 8  # drawn as a picture
        behind = "" if curve else ", ".join(f"{key} {shown(median(values))}" for key, values in figure["rounds"].items())
        verdict = "met" if figure["met"] else "**missed**"
        goal = figure["goal"].replace("<=", "≤").replace(">=", "≥")
        cells = [figure["id"], figure["what"], f"**{shown(figure['value'])}**", goal, verdict, behind]
        lines.append(f"| {' | '.join(cells)} | {told['date']}, {told['commit']} |")
    return lines


def table(before: list[str], taken: dict[str, dict[str, Any]]) -> list[str]:
    """Return the lines of all figures, in the order of the goals: those that were taken, by name, and the rest of `before`."""
    lines = list(_HEAD)
    for name, goal in FIGURES.items():
        lines += _rows(taken[name]) if name in taken else [line for line in before if line.startswith(f"| {goal} |")]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.publish", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join((*FIGURES, *KEPT))}")
    parser.add_argument("--run", action="store_true", help="take the figures first")
    options = parser.parse_args()
    names = options.names or list(FIGURES)
    if unknown := set(names) - {*FIGURES, *KEPT}:
        parser.error(f"nothing that is published: {', '.join(sorted(unknown))}; there are {', '.join((*FIGURES, *KEPT))}")
    if options.run:
        for name in names:
            subprocess.run([sys.executable, "-m", "tests.proof", name], check=False)  # a miss is published, too
    taken = {name: told for name in names if (told := find(name)) is not None}
    _publish({name: told for name, told in taken.items() if name in FIGURES})
    for name in KEPT:
        if name in taken:
            keep(name, taken[name])
    left = [name for name in names if name not in taken]
    for name in left:
        print(
            f"{name} has no result of its long form, its rows and files stay as they were: `python -m tests.proof {name}`",
            file=sys.stderr,
        )
    return 1 if left else 0


def _publish(taken: dict[str, dict[str, Any]]) -> None:
    """Write the rows and the pictures of the proofs that were taken."""
    if not taken:
        return
    machines = "; ".join(sorted({told["machine"] for told in taken.values()}))
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    old, _, after = rest.partition(_END)
    told = "\n".join([_BEGIN, f"Medians of the rounds, on {machines}.", "", *table(old.splitlines(), taken), _END])
    PAGE.write_text(f"{before}{told}{after}", encoding="utf-8")
    for name in PICTURES.keys() & taken.keys():
        (DOCS / f"{name}.svg").write_text(PICTURES[name](taken[name]).draw(), encoding="utf-8")
    print(PAGE.relative_to(folders.ROOT))


def keep(name: str, told: dict[str, Any]) -> None:
    """Write what a long form told to docs/proof, with its date, commit and machine."""
    path = DOCS / "proof" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(path.relative_to(folders.ROOT))


if __name__ == "__main__":
    sys.exit(main())
