"""What the statistics know of one request: codes, a day, counts. Nothing that could name anybody ever comes here."""

from datetime import date
from typing import Final, Literal, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

NOBODY: Final = ""
"""The service of what nobody owned yet, and the category of a request without one."""

Lasting = Literal["taken_in_charge", "answered", "resolved"]
"""The measures whose working time is kept."""


class Span(Struct, frozen=True):
    """Working time from the receipt until something was done for the first time, in whole minutes begun, and who did it."""

    service: str
    minutes: int


Spans: TypeAlias = dict[str, Span]


class Facts(Struct, frozen=True):
    """The facts of one request. Each field, and each entry of `counts` and `spans`, is written by one topic alone.

    counts: "measure service" -> how often. spans: measure -> the first time. waiting: nobody took it in charge yet, and it was
    not closed either. late: the announced delay ran out before the sla heard of either.
    """

    authority: str
    channel: str = ""
    category: str = NOBODY
    received_on: date | None = None
    first_service: str = NOBODY
    owner: str = NOBODY
    counts: dict[str, int] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    waiting: bool = True
    late: bool = False

    @property
    def overdue(self) -> bool:
        """Whether its owner has still not taken it in charge although the announced delay is over."""
        return self.late and self.waiting

    def lived(
        self,
        *,
        first_service: str | None = None,
        owner: str | None = None,
        more: tuple[str, ...] = (),
        spans: Spans | None = None,
        waiting: bool | None = None,
    ) -> "Facts":
        """Return the facts with these changes, one more of each count in `more`."""
        return replace(
            self,
            first_service=self.first_service if first_service is None else first_service,
            owner=self.owner if owner is None else owner,
            counts=self.counts | {name: self.counts.get(name, 0) + 1 for name in more} if more else self.counts,
            spans=self.spans if spans is None else self.spans | spans,
            waiting=self.waiting if waiting is None else waiting,
        )

    def once(self, measure: str, service: str | None) -> tuple[str, ...]:
        """Return what to count so that the request counts at most once for a measure and a service."""
        name = f"{measure} {service or NOBODY}"
        return () if name in self.counts else (name,)
