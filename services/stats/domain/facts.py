"""What the statistics know of one request: codes, a day, counts. Nothing that could name anybody ever comes here."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

NOBODY: Final = ""
"""The service of what nobody owned yet, and the category of a request without one."""

Lasting = Literal["taken_in_charge", "answered", "resolved"]
"""The measures whose working time is kept."""


@dataclass(frozen=True, slots=True)
class Span:
    """Working time from the receipt until something was done for the first time, in whole minutes begun, and who did it."""

    service: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one request. Each field, and each entry of `counts` and `spans`, is written by one topic alone.

    counts: measure -> service -> how often. spans: measure -> the first time.
    """

    authority: str
    channel: str = ""
    category: str = NOBODY
    received_on: date | None = None
    first_service: str = NOBODY
    owner: str = NOBODY
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)

    def counted(self, measure: str, service: str | None) -> dict[str, dict[str, int]]:
        """Return the counts with one more of a measure for a service."""
        name = service or NOBODY
        of_measure = self.counts.get(measure, {})
        return self.counts | {measure: of_measure | {name: of_measure.get(name, 0) + 1}}
