"""Costs that do not depend on the speed of the machine, beside those that were recorded."""

import json
import os
import sys
from pathlib import Path

RECORDED = Path(__file__).with_name("recorded.json")
TOLERANCE = 0.05
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
REFERENCE = "3.11"
"""The version of Python whose instructions are recorded: the oldest that is supported, for which the lock is made, and that of
the image."""
OPCODES = f"opcodes {REFERENCE}"
IS_CI = os.environ.get("CI") == "true"
_RECORD = "`python -m tests.cost --record`"
MEANT = f"If it is meant, {_RECORD} and commit recorded.json with the reason."
Costs = dict[str, dict[str, int]]
"""By kind ("wire", OPCODES): what is measured, and how much it costs."""


def read() -> Costs:
    """Return what was recorded."""
    found: Costs = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
    return found


def record(costs: Costs) -> None:
    """Keep these; kinds that are not among them stay as they were."""
    RECORDED.write_text(json.dumps(read() | costs, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def faults(measured: dict[str, int], recorded: dict[str, int]) -> list[str]:
    """Return a line for each cost that is not what was recorded: more, less by more than the tolerance, new or gone."""
    told = []
    for name in sorted(measured.keys() | recorded.keys()):
        now, before = measured.get(name), recorded.get(name)
        if now is None or before is None:
            told.append(f"{name}: {'is not recorded yet' if before is None else 'is recorded, but no longer measured'}. {MEANT}")
        elif now > before * (1 + TOLERANCE):
            told.append(f"{name}: {now}, recorded {before}: {now / before - 1:+.0%}. Find what it is spent on. {MEANT}")
        elif now < before * (1 - TOLERANCE):
            told.append(f"{name}: {now}, recorded {before}: {now / before - 1:+.0%}, better. So that it stays: {_RECORD}.")
    return told


def opcode_faults(measured: dict[str, int], recorded: dict[str, int], *, python: str = PYTHON, is_ci: bool = IS_CI) -> list[str]:
    """Return the faults of instructions. On a version that is not the recorded one: what is new or gone.

    There, in CI, that they were not judged is a fault, too.
    """
    if python == REFERENCE:
        return faults(measured, recorded)
    told = faults({name: recorded.get(name, cost) for name, cost in measured.items()}, recorded)
    return [*told, f"{not_judged(python)}. Run CI with Python {REFERENCE}."] if is_ci else told


def not_judged(python: str = PYTHON) -> str:
    """Say that on this version nobody knows how many instructions are right; "" on the recorded one."""
    if python == REFERENCE:
        return ""
    return f"instructions are recorded for Python {REFERENCE}, and this is {python}, which has others: how many is not judged"
