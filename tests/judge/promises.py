"""The promises: invariant 6. What is clocked is what was announced, and that is what the calendar says."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from shared.organisation import Authority
from tests.judge.evidence import Evidence, History, Record
from tests.judge.minutes import Minutes, minutes_of

READ_WITHIN: Final = timedelta(minutes=2)
"""From a change of the organisation on, all copies of a service have read it by then."""


def altered_promises(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each place where a service keeps, or tells, another instant than the one that was announced."""
    announced = {
        request_id: {"taking_charge": received.instant_of("promise", "due_at"), "unowned": received.instant("unowned_due_at")}
        for request_id, received in evidence.received(without=history.forged).items()
    }
    for one in evidence.log:
        due = announced.get(one.request_id)
        if due is None or "due_at" not in one.data or one.topic == "requests.v1":
            continue
        promise = one.data.get("promise", "taking_charge")
        if one.instant("due_at") != due[promise]:
            yield f"6 told otherwise: {one.name} of {one.request_id} says {one.data['due_at']}, {due[promise]} was announced"
    for service, path in _KEPT.items():
        for request_id, row in evidence.requests[service].items():
            if request_id not in announced or row["state"] is None:
                continue
            kept = _inside(msgspec.json.decode(row["state"]), path)
            if kept is None or datetime.fromisoformat(kept) != announced[request_id]["taking_charge"]:
                yield f"6 kept otherwise: {service} keeps {kept} of {request_id}, {announced[request_id]} was announced"
    yield from _wrong_deadlines(evidence, history)


_KEPT: Mapping[str, tuple[str, ...]] = {
    "intake": ("promise", "due_at"),
    "router": ("due_at",),
    "sla": ("announced", "due_at"),
    "notifier": ("subject", "due_at"),
}
"""Where the state of a service has the instant that was announced."""


def _inside(state: Any, path: tuple[str, ...]) -> Any:  # Any: what JSON holds
    for name in path:
        state = state.get(name) if isinstance(state, dict) else None
    return state


def _wrong_deadlines(evidence: Evidence, history: History) -> Iterable[str]:
    """The rows that the clock goes by are of running clocks, and say the announced instants."""
    raised = evidence.told("escalations.v1", without=history.forged)
    lives = evidence.told("handling.v1", without=history.forged)
    rows = {(row["request_id"], row["promise"]): row for row in evidence.rows["sla.deadline"]}
    for request_id, received in evidence.received(without=history.forged).items():
        life = lives.get(request_id, [])
        stopped = request_id in evidence.erased or any(one.data["status"] not in ("registered", "assigned") for one in life)
        owned = any(one.data["service"] for one in life)
        for promise in ("taking_charge", "unowned"):
            row = rows.pop((request_id, promise), None)
            mine = [one for one in raised.get(request_id, []) if one.data["promise"] == promise]
            ended = stopped or (owned and promise == "unowned")
            expected = None if ended else _next_deadline(received, promise, mine)
            if (None if row is None else (row["what"], row["due_at"])) != expected:
                yield f"6 deadline: the row of {request_id} {promise} is {row and tuple(row.values())}, expected {expected}"
    stray = {request_id for request_id, _ in rows} - history.forged
    yield from (f"6 deadline: {request_id} has one, and was never received" for request_id in stray)


def _next_deadline(received: Record, promise: str, told: list[Record]) -> tuple[str, datetime] | None:
    names = {one.name for one in told}
    if promise == "taking_charge" and "warned" not in names:
        return "warn", received.instant_of("promise", "warn_at")
    if "missed" not in names:
        due = received.instant("unowned_due_at") if promise == "unowned" else received.instant_of("promise", "due_at")
        return "due", due
    last = next(one for one in reversed(told) if one.name != "warned")
    return None if last.data["next_at"] is None else (f"level_{last.data['next_level']}", last.instant("next_at"))


def miscalculated_promises(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each instant, and each elapsed time, that the minutes of the calendar do not confirm. Takes its time."""
    lives = evidence.told("handling.v1", without=history.forged)
    raised = evidence.told("escalations.v1", without=history.forged)
    for request_id, received in evidence.received(without=history.forged).items():
        known = evidence.authorities.get(received.data["authority"], ())
        versions = _readable(known, received, "intake", history)
        if not any(_confirms(received, one) for one in versions):
            yield f"6 due: {request_id}: no configuration confirms {received.data['promise']}"
        if not any(_confirms_unowned(received, one) for one in versions):
            yield f"6 due: {request_id}: no configuration confirms {received.data['unowned_due_at']} for one that nobody owns"
        for one in raised.get(request_id, []):
            versions = _readable(known, one, "sla", history)
            if one.data.get("next_at") and not any(_confirms_rung(received, one, version) for version in versions):
                yield f"6 rung: {request_id}: no configuration confirms {one.data['next_at']} after {one.name}"
        yield from _miscounted(request_id, received, lives.get(request_id, []), known, history)


def _readable(known: Sequence[Authority], one: Record, service: str, history: History) -> Sequence[Authority]:
    """Return the configurations that a copy of a service may have had when it said this: the last that all had read, or newer."""
    skew = history.skews[service] if history.skews is not None else timedelta()
    read = sum(since + READ_WITHIN < one.instant() - skew for since in history.reloads)
    there = sum(since <= one.instant() + skew for since in history.reloads)
    return known[read : there + 1]


def _minutes(authority: Authority, service: str | None) -> Minutes:
    owner = authority.find_service(service) or authority.front_desk_service
    return minutes_of(authority.calendars[owner.calendar].calendar)


def _confirms(received: Record, authority: Authority) -> bool:
    promise = received.data["promise"]
    rule = next((one for one in authority.charter.promises if one.code == promise["code"]), None)
    engine = authority.calendars.get(promise["calendar"])
    if rule is None or engine is None or engine.calendar.version != promise["calendar_version"]:
        return False
    minutes, start = minutes_of(engine.calendar), received.instant_of("promise", "start_at")
    return (
        promise["working_seconds"] == rule.working_hours * 3600
        and start == received.instant()
        and minutes.due(start, promise["working_seconds"]) == received.instant_of("promise", "due_at")
        and minutes.due(start, rule.warn_after_seconds) == received.instant_of("promise", "warn_at")
    )


def _confirms_unowned(received: Record, authority: Authority) -> bool:
    minutes = _minutes(authority, None)
    seconds = authority.charter.unowned.working_minutes * 60
    return minutes.due(received.instant_of("promise", "start_at"), seconds) == received.instant("unowned_due_at")


def _confirms_rung(received: Record, told: Record, authority: Authority) -> bool:
    code = authority.charter.unowned.ladder if told.data["promise"] == "unowned" else received.data["promise"]["ladder"]
    ladder = authority.ladders.get(code) or authority.ladders[authority.charter.promises[-1].ladder]
    level = told.data["next_level"]
    if level > len(ladder.levels):
        return False
    seconds = ladder.levels[level - 1].after_working_hours * 3600
    return _minutes(authority, told.data["service"]).due(told.instant("due_at"), seconds) == told.instant("next_at")


def _miscounted(
    request_id: UUID, received: Record, life: list[Record], known: Sequence[Authority], history: History
) -> Iterable[str]:
    """Working time until something was done is counted in the calendar of who owned the request then."""
    owner: str | None = None
    for one in life:
        if "elapsed_working_seconds" in one.data:
            start, end = received.instant(), max(one.instant(), received.instant())
            counted = {_minutes(version, owner).elapsed(start, end) for version in _readable(known, one, "router", history)}
            if one.data["elapsed_working_seconds"] not in counted:
                yield f"6 elapsed: {one.name} of {request_id} says {one.data['elapsed_working_seconds']} s, not {counted}"
        owner = one.data["service"] or owner
