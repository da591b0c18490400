"""Which service gets a request, and why."""

from datetime import datetime
from typing import NamedTuple

from shared.organisation import Authority


class Decision(NamedTuple):
    """The service, and the reason as a code that pages and events carry."""

    service: str
    reason: str


def route(asked: str | None, authority: Authority, now: datetime) -> Decision:
    """Return the queue for what the usager chose, as the authority decides it for all services, and why it is that one."""
    owner = authority.owner_to_be(asked, now).code
    if asked is None:
        return Decision(owner, "nobody_chose")
    if owner == asked:
        return Decision(owner, "chosen")
    return Decision(owner, "closed_service" if authority.find_service(asked) else "unknown_service")
