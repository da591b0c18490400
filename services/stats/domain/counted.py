"""What was counted, before any of it may be shown."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

MEASURES: Final = ("received", "taken_in_charge", "within_promise", "overdue", "escalated_1", "transferred")
"""What a publication needs. All are numbers of requests."""

JUDGED: Final = "judged"
"""Taken in charge, or overdue and not yet taken: the requests of which it is known whether the announced delay was kept."""


@dataclass
class Counted:
    """One table, by service or by channel. amounts: measure -> code -> requests. minutes: code -> minutes -> requests taken."""

    amounts: dict[str, dict[str, int]] = field(default_factory=dict)
    minutes: dict[str, dict[int, int]] = field(default_factory=dict)

    def cells(self, column: str, codes: Iterable[str]) -> dict[str, int]:
        """Return the column of a table, one cell for each code."""
        if column == JUDGED:
            taken, overdue = self.amounts.get("taken_in_charge", {}), self.amounts.get("overdue", {})
            return {code: taken.get(code, 0) + overdue.get(code, 0) for code in codes}
        amounts = self.amounts.get(column, {})
        return {code: amounts.get(code, 0) for code in codes}


@dataclass
class Month:
    """The requests received in one month, by service and by channel: the same requests twice."""

    services: Counted = field(default_factory=Counted)
    channels: Counted = field(default_factory=Counted)
