"""The organisation files as shipped, and as somebody changes them in the middle of the day."""

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from shared.events.inbound import Submission
from shared.organisation import Installation, load
from tests.simulation.submissions import draw

FOLDER = Path(__file__).parents[2] / "deploy" / "organisation"


class Submissions(NamedTuple):
    """What usagers may write: good ones, the same as an adapter's records, and bad ones."""

    good: list[Submission]
    records: list[bytes]
    bad: list[Submission]


@cache
def shipped() -> Installation:
    """Return the installation as shipped."""
    return load(FOLDER)


@cache
def changed() -> Installation:
    """Return it with a service closed, other opening hours, shorter promises, a ladder that lost a rung."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "organisation"
        shutil.copytree(FOLDER, copy)
        _change(copy / "rivemont" / "services.yaml", _close_services)
        _change(copy / "rivemont" / "calendars.yaml", _other_hours)
        _change(copy / "rivemont" / "charter.yaml", _shorter)
        _change(copy / "rivemont" / "escalations.yaml", _lose_a_rung)
        return load(copy)


@cache
def submissions() -> Submissions:
    """Return what usagers may write."""
    return Submissions(*draw(shipped()))


def _change(path: Path, change: Any) -> None:
    yaml = YAML()
    told = yaml.load(path)
    change(told)
    yaml.dump(told, path)


def _close_services(told: Any) -> None:
    for one in told["services"]:
        if one["code"] in ("voirie", "urbanisme"):
            one["closed"] = {"from": "2025-01-01", "reason": "travaux"}
        if one["code"] == "culture":
            one["closed"] = None


def _other_hours(told: Any) -> None:
    for one in told["calendars"]:
        if one["code"] in ("bureaux", "accueil"):
            one["version"] += 1
            one["weekly"]["monday"] = ["10:00-12:00"]


def _shorter(told: Any) -> None:
    for one in told["promises"]:
        one["working_hours"] = max(2, one["working_hours"] // 2)


def _lose_a_rung(told: Any) -> None:
    for one in told["ladders"]:
        if one["code"] == "ordinaire":
            one["levels"].pop()
