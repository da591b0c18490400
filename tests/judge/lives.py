"""The lives of requests, and what people did to them: invariant 2, and that each act counts once."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise, zip_longest
from typing import Final, get_args
from uuid import UUID

from shared.events.topics import TOPICS
from tests.judge.evidence import Evidence, History, Record, What
from tests.judge.paths import PATHS

MOVES: dict[str, tuple[str, ...]] = {
    "transferred": ("transfer",),
    "taken_in_charge": ("take_charge",),
    "usager_asked": ("ask",),
    "usager_replied": ("add",),
    "answered": ("answer",),
    "resolved": ("resolve",),
    "reopened": ("reopen", "add"),
    "withdrawn": ("withdraw",),
    "forgotten": ("erase",),
}
"""What may lie behind each event that moves a life."""
IMPLIED: Final = "take_charge or none"


def moved(life: list[Record]) -> list[Record]:
    """Return the events of a life that moved it: all but the refusals."""
    return [one for one in life if one.name != "command_refused"]


_ONE_PARTITION = {topic.name for topic in TOPICS if topic.key == "request"}
"""Topics in which all records of a request are in one partition, and so in one order."""


def broken_sequences(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each hole in the numbers of a request and topic, each number given twice, each place out of order in the log."""
    known: dict[tuple[str, UUID, int], Record] = {}
    last: dict[tuple[str, UUID], int] = {}
    for one in evidence.log:
        if one.request_id in history.forged:
            continue
        name = (one.topic, one.request_id, one.sequence)
        if first := known.get(name):
            if (first.type, first.data) != (one.type, one.data):
                yield f"2 number given twice: {one.topic} {one.request_id} {one.sequence} is {first.name} and {one.name}"
            continue
        known[name] = one
        before = last.get((one.topic, one.request_id), 0)
        if one.sequence < before and one.topic in _ONE_PARTITION and (one.topic, one.request_id) not in history.disordered:
            yield f"2 order: {one.topic} {one.request_id} has {one.sequence} after {before}"
        last[one.topic, one.request_id] = max(one.sequence, before)
    given = Counter((topic, request_id) for topic, request_id, _ in known)
    for (topic, request_id), top in last.items():
        if given[topic, request_id] != top:
            numbers = sorted(n for name, one, n in known if (name, one) == (topic, request_id))
            yield f"2 gap: {topic} {request_id} has {numbers}"


def broken_lives(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each life that is no path of the router's table, or whose versions do not follow one another."""
    for request_id, told in evidence.told("handling.v1", without=history.forged).items():
        life = moved(told)
        versions = [one.data["version"] for one in life]
        if versions != list(range(1, len(life) + 1)):
            yield f"2 versions: the life of {request_id} goes {versions}"
        if [one.name for one in life[:2]] != ["registered", "assigned"]:
            yield f"2 path: the life of {request_id} begins {[one.name for one in life[:2]]}"
            continue
        for before, after in pairwise(life[1:]):
            moves = MOVES.get(after.name, ())
            if after.data["status"] not in [PATHS.get(before.data["status"], {}).get(move) for move in moves]:
                yield f"2 path: {request_id} goes from {before.data['status']} by {after.name} to {after.data['status']}"
        version = 0
        for one in told:
            if one.name == "command_refused" and one.data["version"] != version:
                yield f"2 versions: {request_id} was refused an act at {one.data['version']}, it was at {version}"
            version = one.data["version"]


def miscounted_acts(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each act that was told done and is not in the log, is there twice, or that nobody did."""
    lives = evidence.told("handling.v1", without=history.forged)
    asked = evidence.told("requests.v1", without=history.forged)
    outcomes = Counter((act.request_id, act.what, act.outcome) for act in history.acts or ())
    for request_id in lives.keys() | asked.keys():
        found = acts_in(lives.get(request_id, []), asked.get(request_id, []))
        yield from _unanswered(request_id, lives.get(request_id, []), found)
        if history.acts is None:
            continue
        for what in get_args(What):
            done, unknown = outcomes[request_id, what, "done"], outcomes[request_id, what, "unknown"]
            most = found[what] + (found[IMPLIED] if what == "take_charge" else 0)
            if found[what] > done + unknown or most < done:
                said = [act.told for act in history.acts if (act.request_id, act.what) == (request_id, what) and act.told]
                yield (
                    f"acts: {request_id} has {what} {found[what]} times; "
                    f"{done} were told done, {unknown} outcomes unknown; else they were told {said}"
                )


def outdated_acts(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each act that was told done although something had happened since the link for it was made."""
    lives = evidence.told("handling.v1", without=history.forged)
    for act in history.acts or ():
        if act.outcome != "done" or act.version is None:
            continue
        names = {one.data["version"]: one.name for one in moved(lives.get(act.request_id, []))}
        first, second = names.get(act.version + 1, "nothing"), names.get(act.version + 2, "")
        led_to = second if first == "taken_in_charge" and act.what != "take_charge" else first  # who answers at once takes charge
        if act.what not in MOVES.get(led_to, ()):
            yield f"acts: {act.request_id}: {act.what} was done by a link of version {act.version}, which {first} had followed"


def acts_in(life: list[Record], asked: list[Record]) -> Counter[str]:
    """Count what people did, as the log has it.

    Who answers or resolves at once takes charge by it. Two acts of one batch look the same, so that each such change is
    counted as IMPLIED: it may have been an act of its own, and needs none.
    """
    found: Counter[str] = Counter()
    steps = moved(life)
    for one, following in zip_longest(steps, steps[1:]):
        match one.name:
            case "taken_in_charge":
                implied = (
                    following is not None
                    and following.name in ("answered", "resolved", "usager_asked")
                    and following.data["at"] == one.data["at"]
                )
                found[IMPLIED if implied else "take_charge"] += 1
            case "transferred" if one.data["reason"] == "agent":
                found["transfer"] += 1
            case "answered":
                found["answer"] += 1
            case "usager_asked":
                found["ask"] += 1
            case "resolved":
                found["resolve"] += 1
            case _:
                pass
    names = Counter(one.name for one in asked)
    found["add"], found["withdraw"] = names["information_added"], names["withdrawal_asked"]
    found["reopen"] = names["reopening_asked"]
    return found


def _unanswered(request_id: UUID, life: list[Record], found: Counter[str]) -> Iterable[str]:
    """Whatever a usager did became part of the life, or was refused there: once."""
    names = Counter(one.name for one in life)
    refused = Counter(one.data["action"] for one in life if one.name == "command_refused")
    asked = found["add"] + found["reopen"]
    if names["usager_replied"] + names["reopened"] + refused["add"] + refused["reopen"] != asked:
        yield f"acts: {request_id}: {asked} messages and wishes of the usager, {dict(names)} in the life, {dict(refused)} refused"
    if names["withdrawn"] + refused["withdraw"] != found["withdraw"]:
        yield f"acts: {request_id}: {found['withdraw']} withdrawals, {dict(names)} in the life, {dict(refused)} refused"
