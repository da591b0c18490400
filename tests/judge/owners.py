"""Who owns a request: invariant 4. One service at every instant of an open life, nobody once it is closed, and why."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise, zip_longest
from uuid import UUID

from tests.judge.evidence import Evidence, History, Record, Row
from tests.judge.lives import moved
from tests.judge.paths import OWNED


def wrong_owners(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each instant with no owner, or one too many, each change that no event explains, each row that says otherwise."""
    rows = {row["request_id"]: row for row in evidence.rows["router.assignment"]}
    count = Counter(row["request_id"] for row in evidence.rows["router.assignment"])
    yield from (
        f"4 owner: {one} has {count[one]} rows of assignment" for one in history.accepted - history.forged if count[one] != 1
    )
    queues = evidence.told("queues.v1", without=history.forged)
    for request_id, told in evidence.told("handling.v1", without=history.forged).items():
        life = moved(told)
        yield from _instants(request_id, told)
        yield from _changes(request_id, life)
        yield from _queued(request_id, life, queues.get(request_id, []))
        yield from _mirrored(request_id, life, rows)


def _instants(request_id: UUID, told: list[Record]) -> Iterable[str]:
    for one in told[1:]:  # the first says that it is registered: at the same instant it gets its owner
        if (one.data["status"] in OWNED) != (one.data["service"] is not None):
            yield f"4 owner: {request_id} is {one.data['status']} and owned by {one.data['service']} at {one.data['version']}"


def _changes(request_id: UUID, life: list[Record]) -> Iterable[str]:
    """The owner changes by an assignment, a transfer or a reopening alone: events that cannot be without a reason."""
    owner: str | None = None
    for before, one in pairwise(life):
        owner = before.data["service"] or owner
        service, at = one.data["service"], one.data["version"]
        match one.name:
            case "assigned":
                explained = owner is None
            case "transferred":
                explained = one.data["from_service"] == owner != service
            case "reopened":
                explained = service == owner
            case _:
                explained = service in (owner, None)
        if not explained:
            yield f"4 unexplained: {request_id} goes from {owner} to {service} by {one.name} at {at}"


def _queued(request_id: UUID, life: list[Record], queue: list[Record]) -> Iterable[str]:
    """Each queue that a request enters is told once to its service; reopened and passed on at once, it enters the last one."""
    entered = [
        one.data["service"]
        for one, following in zip_longest(life, life[1:])
        if one.name in ("assigned", "transferred")
        or (one.name == "reopened" and not (following and following.name == "transferred" and _at_once(following)))
    ]
    told = [one.data["service"] for one in queue]
    if entered != told:
        yield f"4 queues: {request_id} entered {entered}, the queues were told {told}"


def _at_once(transferred: Record) -> bool:
    return bool(transferred.data["reason"] != "agent")


def _mirrored(request_id: UUID, life: list[Record], rows: dict[UUID, Row]) -> Iterable[str]:
    row = rows.get(request_id)
    last = life[-1].data if life else {}
    if row is None or not life:
        return
    expected = (last["service"], last["status"], last["version"])
    found = (row["service"], row["status"], row["version"])
    if found != expected:
        yield f"4 row: {request_id} is {expected} in the log, {found} in its row of assignment"
