"""`python -m tests.proof.publish`: puts the figures that were taken last into docs/performance.md, and draws its pictures.

`--run` takes all of them first, one after the other: about 20 minutes, on a machine that does nothing else.
"""

import argparse
import subprocess
import sys
from statistics import median
from typing import Any

from deploy.local import folders
from tests.proof import pictures
from tests.proof.report import read, shown

DOCS = folders.ROOT / "docs"
FIGURES = ("intake", "latency", "fold", "deadlines", "statistics", "outbox", "mail", "footprint", "growth")
_BEGIN, _END = "<!-- figures: written by python -m tests.proof.publish -->", "<!-- end of figures -->"


def _rows(told: dict[str, Any]) -> list[str]:
    """Return the lines of a table: goal, figure, value, verdict, and the medians behind it."""
    lines = []
    for figure in told["figures"]:
        curve = len(figure["rounds"]) > 8  # drawn as a picture
        behind = "" if curve else ", ".join(f"{key} {shown(median(values))}" for key, values in figure["rounds"].items())
        verdict = "met" if figure["met"] else "**missed**"
        goal = figure["goal"].replace("<=", "≤").replace(">=", "≥")
        lines.append(f"| {figure['id']} | {figure['what']} | **{shown(figure['value'])}** | {goal} | {verdict} | {behind} |")
    return lines


def table() -> str:
    """Return all figures as a table in Markdown, with when, of which commit and on what machine they were taken."""
    told = {name: read(name) for name in FIGURES}
    taken = sorted({f"{one['date']}, commit {one['commit']}, on {one['machine']}" for one in told.values()})
    lines = [f"Taken on {'; '.join(taken)}. Medians of the rounds.", ""]
    lines += ["| goal | what | measured | wanted | | medians behind it |", "|---|---|---|---|---|---|"]
    for one in told.values():
        lines += _rows(one)
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.publish", description=__doc__)
    parser.add_argument("--run", action="store_true", help="take the figures first")
    if parser.parse_args().run:
        for name in FIGURES:
            subprocess.run([sys.executable, "-m", "tests.proof", name], check=False)  # a miss is published, too
    page = DOCS / "performance.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    page.write_text(f"{before}{_BEGIN}\n{table()}\n{_END}{after}", encoding="utf-8")
    for name, chart in (("latency", pictures.latency), ("growth", pictures.growth)):
        (DOCS / f"{name}.svg").write_text(chart().draw(), encoding="utf-8")
    print(f"{page.relative_to(folders.ROOT)}, docs/latency.svg, docs/growth.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
