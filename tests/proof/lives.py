"""The lives of requests, and what people did to them: invariants 2 and 4 of the log, and that each act counts once."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from uuid import UUID

from services.router.domain.life import OPEN, TRANSITIONS, Move
from tests.proof.evidence import Evidence, History, Record

_MOVES: dict[str, Move] = {
    "transferred": "transfer",
    "taken_in_charge": "take_charge",
    "usager_asked": "ask",
    "usager_replied": "add",
    "answered": "answer",
    "resolved": "resolve",
    "reopened": "reopen",  # or "add", to a settled request: it leads to the same state
    "withdrawn": "withdraw",
    "forgotten": "erase",
}
"""What lies behind each event that moves a life."""


def broken_lives(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each life that is no path of the router's table, or whose versions or owners do not follow."""
    for request_id, life in evidence.told("handling.v1", without=history.forged).items():
        moved = [one for one in life if one.name != "command_refused"]
        versions = [one.data["version"] for one in moved]
        if versions != list(range(1, len(moved) + 1)):
            yield f"2 versions: the life of {request_id} goes {versions}"
        if [one.name for one in moved[:2]] != ["registered", "assigned"]:
            yield f"2 path: the life of {request_id} begins {[one.name for one in moved[:2]]}"
            continue
        for before, after in pairwise(moved[1:]):
            move = _MOVES.get(after.name)
            if move is None or TRANSITIONS.get((before.data["status"], move)) != after.data["status"]:
                yield f"2 path: {request_id} goes from {before.data['status']} by {after.name} to {after.data['status']}"
        for one in moved[1:]:
            if (one.data["status"] in OPEN) != (one.data["service"] is not None):
                yield f"4 owner: {request_id} is {one.data['status']} and owned by {one.data['service']} at {one.data['version']}"


def miscounted_acts(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each act that was told done and is not in the log, is there twice, or that nobody did."""
    if history.acts is None:
        return
    outcomes = Counter((act.request_id, act.what, act.outcome) for act in history.acts)
    lives = evidence.told("handling.v1", without=history.forged)
    asked = evidence.told("requests.v1", without=history.forged)
    for request_id in lives.keys() | asked.keys():
        found = acts_in(lives.get(request_id, []), asked.get(request_id, []))
        for what in ("take_charge", "answer", "transfer", "resolve", "add", "withdraw"):
            done, unknown = outcomes[request_id, what, "done"], outcomes[request_id, what, "unknown"]
            if not done <= found[what] <= done + unknown:
                said = [act.told for act in history.acts if (act.request_id, act.what) == (request_id, what) and act.told]
                yield (
                    f"acts: {request_id} has {what} {found[what]} times; "
                    f"{done} were told done, {unknown} outcomes unknown; else they were told {said}"
                )
        yield from _unanswered(request_id, lives.get(request_id, []), found)


def acts_in(life: list[Record], asked: list[Record]) -> Counter[str]:
    """Count what people did, as the log has it. Who answers or resolves at once takes charge by it: that is no act of its own."""
    found: Counter[str] = Counter()
    moved = [one for one in life if one.name != "command_refused"]
    for one, following in zip(moved, [*moved[1:], None], strict=True):
        match one.name:
            case "taken_in_charge":
                implied = following is not None and following.name in ("answered", "resolved", "usager_asked")
                found["take_charge"] += not (implied and following is not None and following.data["at"] == one.data["at"])
            case "transferred" if one.data["reason"] == "agent":
                found["transfer"] += 1
            case "answered":
                found["answer"] += 1
            case "resolved":
                found["resolve"] += 1
            case _:
                pass
    names = Counter(one.name for one in asked)
    found["add"], found["withdraw"] = names["information_added"], names["withdrawal_asked"]
    return found


def _unanswered(request_id: UUID, life: list[Record], found: Counter[str]) -> Iterable[str]:
    """Whatever a usager did became part of the life, or was refused there: once."""
    names = Counter(one.name for one in life)
    refused = Counter(one.data["action"] for one in life if one.name == "command_refused")
    if names["usager_replied"] + names["reopened"] + refused["add"] != found["add"]:
        yield f"acts: {request_id}: {found['add']} messages of the usager, {names} in the life, {refused} refused"
    if names["withdrawn"] + refused["withdraw"] != found["withdraw"]:
        yield f"acts: {request_id}: {found['withdraw']} withdrawals, {names} in the life, {refused} refused"
