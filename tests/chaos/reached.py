"""Who comes by the named points (`shared/delivery/points.py`), and what has to happen first for them to."""

from typing import Final

from shared.delivery.points import POINTS
from shared.events.topics import SERVICES
from tests.chaos.town import PUBLISHERS

_COME_BY: Final[dict[str, tuple[str, ...]]] = {
    "start": SERVICES,
    "stop": SERVICES,
    "consume": SERVICES,
    "save": SERVICES,
    "park": ("router", "sla", "notifier", "stats"),
    "local": ("intake", "router", "sla", "notifier"),
    "local.gathered": ("intake",),
    "local.answered": ("intake",),
    "relay": PUBLISHERS,
    "tick": ("sla",),
    "erase": ("intake",),
    "letter": ("notifier",),
    "watchdog": SERVICES,
}
"""By the kind of a point, or its name where that differs. Of the loops that gather local inputs, intake's never rests."""
FIRST: Final[dict[str, str]] = {
    "start": "kill",
    "stop": "stop",
    "relay.connected": "kill",
    "relay.leads": "kill",
    "relay.lost": "reset_postgres",
    "relay.not_sent": "lose_kafka",
    "consume.seek": "rewind",
    "park": "poison",
    "tick": "days_pass",
    "local": "days_pass_for_the_sla",
    "letter.before_connect": "reset_smtp",
    "letter.put_back": "smtp_puts_off",
    "letter.server_back": "lose_smtp",
}
"""The fault of `faults.KINDS` that has the service come by: right after the point is armed."""


def services_of(point: str) -> tuple[str, ...]:
    """Return the services that come by a point."""
    return _COME_BY.get(point) or _COME_BY[point.partition(".")[0]]


def first_of(point: str) -> str | None:
    """Return the kind of fault that leads to a point; None: every day does."""
    return FIRST.get(point) or FIRST.get(point.partition(".")[0])


assert all(services_of(point) for point in POINTS), "every point has somebody who comes by"
