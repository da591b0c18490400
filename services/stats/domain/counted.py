"""What was counted, before any of it may be shown."""

from dataclasses import dataclass, field
from typing import Final

MEASURES: Final = ("received", "taken_in_charge", "within_promise", "escalated_1", "transferred")
"""What a publication needs. All are numbers of requests."""


@dataclass
class Counted:
    """One table, by service or by channel. amounts: measure -> code -> requests. minutes: code -> minutes -> requests taken."""

    amounts: dict[str, dict[str, int]] = field(default_factory=dict)
    minutes: dict[str, dict[int, int]] = field(default_factory=dict)


@dataclass
class Month:
    """The requests received in one month, by service and by channel: the same requests twice."""

    services: Counted = field(default_factory=Counted)
    channels: Counted = field(default_factory=Counted)
