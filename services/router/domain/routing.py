"""Which service gets a request, and why."""

from datetime import datetime
from typing import NamedTuple

from shared.organisation import Authority


class Decision(NamedTuple):
    """The service, and the reason as a code that pages and events carry."""

    service: str
    reason: str


def route(asked: str | None, authority: Authority, now: datetime) -> Decision:
    """Return the queue for what the usager chose: their choice when it exists and is open, else the front desk, always."""
    desk = authority.settings.front_desk
    if asked is None:
        return Decision(desk, "nobody_chose")
    if authority.find_service(asked) is None:
        return Decision(desk, "unknown_service")
    if not authority.is_open(asked, now):
        return Decision(desk, "closed_service")
    return Decision(asked, "chosen")
