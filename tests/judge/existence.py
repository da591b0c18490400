"""Whether what was accepted is there, once, and nothing else: invariant 1, and of 12 that nothing falls between the states."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from tests.judge.evidence import Evidence, History

_STATUSES = ("assigned", "in_charge", "waiting", "answered", "resolved", "withdrawn", "erased")


def missing_requests(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each request that was answered 2xx and is not there, and each that nobody was told of."""
    held = _held(evidence, history)
    yield from (f"1 lost: {one} was answered 2xx and is not in intake" for one in history.accepted - held)
    yield from _ghosts(evidence, history)
    for row in evidence.rows["intake.inbox"]:
        if row["id"] in history.refused:
            yield f"1 refused: a post that was refused is there, as {dict(row).get('request_id')}"
    found = Counter(row["request_id"] for row in evidence.rows["intake.tracking"])
    yield from (f"1 not to be found: {one} has {found[one]} rows of tracking" for one in held if found[one] != 1)
    received = Counter(
        request_id
        for request_id, told in evidence.told("requests.v1", without=history.forged).items()
        for one in told
        if one.name == "received"
    )
    for one in held:
        if received[one] != 1:
            yield f"1 received: {one} was received {received[one]} times, says the log"
    yield from (f"1 received: {one} is in the log, and not in intake" for one in received.keys() - held)


def untold_requests(evidence: Evidence, history: History) -> set[UUID]:
    """Return the requests that are there, and nobody was told of."""
    return _held(evidence, history) - history.accepted


def _held(evidence: Evidence, history: History) -> set[UUID]:
    known = evidence.requests["intake"]
    return {request_id for request_id, row in known.items() if row["state"] is not None} - history.forged


def _ghosts(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each post of unknown outcome that is there more than once, and what cannot be of any such post."""
    untold, marks = untold_requests(evidence, history), _marks(evidence, history)
    found = Counter(marks[one] for one in untold if one in marks)
    yield from (
        f"1 twice: a post of unknown outcome, {mark}, is there {times} times" for mark, times in found.items() if times > 1
    )
    ghosts, unmarked = untold - marks.keys(), history.unknown - len(history.marks)
    if len(ghosts) > unmarked:
        yield f"1 ghosts: {len(ghosts)} requests nobody was told of, {unmarked} outcomes unknown, such as {min(ghosts)}"


def _marks(evidence: Evidence, history: History) -> dict[UUID, str]:
    """Return the mark of each request that has one of a post of unknown outcome."""
    received = evidence.received(without=history.forged)
    asked_for = {one: first.data["service"] for one, first in received.items() if first.data["service"] in history.marks}
    return asked_for | {row["request_id"]: row["id"] for row in evidence.rows["intake.inbox"] if row["id"] in history.marks}


def unaccounted_requests(evidence: Evidence, history: History) -> Iterable[str]:
    """Return whether accepted = open + closed + erased, with the numbers."""
    held = _held(evidence, history)
    status = {row["request_id"]: row["status"] for row in evidence.rows["router.assignment"]}
    counts = Counter(status.get(request_id, "nowhere") for request_id in held)
    if sum(counts[one] for one in _STATUSES) != len(held):
        stray = [str(one) for one in held if status.get(one) not in _STATUSES]
        yield f"12 requests: {len(held)} were accepted, and they are {dict(counts)}, such as {stray[:3]}"
    for row in evidence.rows["intake.tracking"]:
        request_id = row["request_id"]
        if request_id in held and status.get(request_id) not in (row["status"], None):
            yield f"12 status: {request_id} is {status[request_id]} for the router, {row['status']} for its usager"
