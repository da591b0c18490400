"""What the services said of parked records: of invariant 13, that every fault raised its alarm, and no alarm came without one."""

from collections.abc import Iterable

from shared.events.topics import SERVICES
from tests.judge.evidence import Evidence, History

CRIES = ("delivery.gap", "delivery.parked")
GAPS = ("delivery.gap", "delivery.gap_behind")
"""The second: of a parked record that waited for something else at first."""


def wrong_cries(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each service that parked records without saying so, or said so of more than it parked."""
    if evidence.logged is None:
        return
    for service in SERVICES:
        parked = evidence.rows[f"{service}.parked"]
        said, untold = sum(evidence.logged[service, event] for event in CRIES), history.untold[service]
        told = f"{service} parked {len(parked)} records, of {untold} it never heard itself, and it told of {said}"
        if said + untold > len(parked):
            yield f"13 cry: {told}"
        if said + untold < len(parked):
            yield f"13 silent: {told}"
        gaps = sum(row["why"] == "gap" for row in parked)
        if gaps > untold and not any(evidence.logged[service, event] for event in GAPS):
            yield f"13 silent: {service} met {gaps} gaps, and never said so"
