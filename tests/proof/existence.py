"""Whether what was accepted is there, once, and nothing else: invariant 1, and of 12 that nothing falls between the states."""

from collections import Counter
from collections.abc import Iterable

from tests.proof.evidence import Evidence, History

_STATUSES = ("assigned", "in_charge", "waiting", "answered", "resolved", "withdrawn", "erased")


def missing_requests(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each request that was answered 2xx and is not there, and each that nobody was told of."""
    known = evidence.requests["intake"]
    held = {request_id for request_id, row in known.items() if row["state"] is not None} - history.forged
    yield from (f"1 lost: {one} was answered 2xx and is not in intake" for one in history.accepted - held)
    if len(ghosts := held - history.accepted) > history.unknown:
        yield f"1 ghosts: {len(ghosts)} requests nobody was told of, {history.unknown} outcomes unknown, such as {min(ghosts)}"
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


def unaccounted_requests(evidence: Evidence, history: History) -> Iterable[str]:
    """Return whether accepted = open + closed + erased, with the numbers."""
    held = {one for one, row in evidence.requests["intake"].items() if row["state"] is not None} - history.forged
    status = {row["request_id"]: row["status"] for row in evidence.rows["router.assignment"]}
    counts = Counter(status.get(request_id, "nowhere") for request_id in held)
    if sum(counts[one] for one in _STATUSES) != len(held):
        stray = [str(one) for one in held if status.get(one) not in _STATUSES]
        yield f"12 requests: {len(held)} were accepted, and they are {dict(counts)}, such as {stray[:3]}"
    for row in evidence.rows["intake.tracking"]:
        request_id = row["request_id"]
        if request_id in held and status.get(request_id) not in (row["status"], None):
            yield f"12 status: {request_id} is {status[request_id]} for the router, {row['status']} for its usager"
