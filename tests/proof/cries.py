"""What the services said of parked records: of invariant 13, that every fault raised its alarm, and no alarm came without one."""

from collections.abc import Iterable

from shared.events.topics import SERVICES
from tests.proof.evidence import Evidence, History

CRIES = ("delivery.gap", "delivery.parked")


def wrong_cries(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each service that parked records without saying so, or said so of more than it parked."""
    if evidence.logged is None:
        return
    for service in SERVICES:
        parked = evidence.rows[f"{service}.parked"]
        said = sum(evidence.logged[service, event] for event in CRIES)
        if said > len(parked):
            yield f"13 cry: {service} said {said} times that it parked something, it parked {len(parked)}"
        if said < len(parked) and service not in history.untold:
            yield f"13 silent: {service} parked {len(parked)} records, and said {said} times that it did"
        gaps = sum(row["why"] == "gap" for row in parked)
        if gaps and not evidence.logged[service, "delivery.gap"] and service not in history.untold:
            yield f"13 silent: {service} met {gaps} gaps, and never said so"
