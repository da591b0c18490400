"""The announced delays: invariant 5. Told once each, none early, none after closing, each due one told.

None early is asked of the instant that an event says, which is by the clock of the copy that fired, and of its commit, where
it is known how far these clocks were off. On the real thing it is not: PostgreSQL does not go by the clock of the town.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from tests.judge.evidence import Evidence, History, Record
from tests.judge.outboxes import Name, committed_at

_UNTAKEN = ("registered", "assigned")


def broken_delays(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each warning, miss or escalation that is there twice, early or after the end, and each that is missing."""
    escalations = evidence.told("escalations.v1", without=history.forged)
    lives = evidence.told("handling.v1", without=history.forged)
    asked = evidence.told("requests.v1", without=history.forged)
    shown = _shown(evidence, history)
    for request_id, received in evidence.received(without=history.forged).items():
        told = escalations.get(request_id, [])
        keys = Counter((one.data["promise"], one.name, one.data.get("level")) for one in told)
        yield from (f"5 told {count} times: {request_id} {key}" for key, count in keys.items() if count > 1)
        life, erased = lives.get(request_id, []), [one for one in asked[request_id] if one.name == "erased"]
        ends = {
            "taking_charge": [one for one in life if one.data["status"] not in _UNTAKEN],
            "unowned": [one for one in life if one.data["service"] is not None or one.data["status"] not in _UNTAKEN],
        }
        for promise, ending in ends.items():
            ended_at = min((one.instant() for one in [*ending[:1], *erased]), default=None)
            mine = [one for one in told if one.data["promise"] == promise]
            yield from _early(request_id, received, mine, shown)
            yield from _late(request_id, mine, ended_at, history)
            if ended_at is None and history.checked_at is not None:
                yield from _missing(request_id, received, promise, mine, history.checked_at)


def _shown(evidence: Evidence, history: History) -> dict[Name, datetime]:
    """Return what the clocks of the sla showed at most when each of its events was committed; {}: not known."""
    if history.skews is None:
        return {}
    skew = history.skews["sla"]
    return {name: at + skew for name, at in committed_at(evidence).items() if name[0] == "escalations.v1"}


def _early(request_id: UUID, received: Record, told: list[Record], shown: dict[Name, datetime]) -> Iterable[str]:
    promise = received.data["promise"]
    rung: tuple[int | None, str | None] = (None, None)
    for one in told:
        match one.name:
            case "warned":
                due: str | None = promise["warn_at"]
            case "missed":
                due = promise["due_at"] if one.data["promise"] == "taking_charge" else received.data["unowned_due_at"]
            case _:
                level, due = rung
                if one.data["level"] != level:
                    yield f"5 level: {request_id} climbs to {one.data['level']}, {level} was announced"
        if one.name != "warned":
            rung = one.data["next_level"], one.data["next_at"]
        if due is None or one.instant() < datetime.fromisoformat(due):
            yield f"5 early: {request_id} {one.name} at {one.data['at']}, due {due}"
        elif (latest := shown.get((one.topic, request_id, one.sequence), one.instant())) < datetime.fromisoformat(due):
            yield f"5 early: {request_id} {one.name}, committed when no clock showed more than {latest}, due {due}"


def _late(request_id: UUID, told: list[Record], ended_at: datetime | None, history: History) -> Iterable[str]:
    """Past the instant at which everybody had seen everything, no clock that had ended goes on."""
    if history.quiet_at is None or ended_at is None or ended_at > history.quiet_at:
        return
    after = [one.name for one in told if one.instant() > history.quiet_at]
    if after:
        yield f"5 after the end: {request_id} was taken or closed at {ended_at}, and then {after}"


def _missing(request_id: UUID, received: Record, promise: str, told: list[Record], now: datetime) -> Iterable[str]:
    warn_at, due_at = received.data["promise"]["warn_at"], received.data["promise"]["due_at"]
    if promise == "unowned":
        warn_at, due_at = None, received.data["unowned_due_at"]
    names = {one.name for one in told}
    if warn_at is not None and datetime.fromisoformat(warn_at) <= now and "warned" not in names:
        yield f"5 not warned: {request_id}, due {warn_at}"
    if datetime.fromisoformat(due_at) <= now and "missed" not in names:
        yield f"5 not told missed: {request_id} {promise}, due {due_at}"
    last = next((one for one in reversed(told) if one.name != "warned"), None)
    if last is not None and last.data["next_at"] is not None and last.instant("next_at") <= now:
        yield f"5 not escalated: {request_id} {promise} to level {last.data['next_level']}, due {last.data['next_at']}"


def climbed_to_the_top(evidence: Evidence) -> int:
    """Return how many requests that nobody took went up the whole ladder."""
    raised = [one for one in evidence.log if one.topic == "escalations.v1" and one.name == "raised"]
    return len({one.request_id for one in raised if one.data["promise"] == "taking_charge" and one.data["next_level"] is None})
