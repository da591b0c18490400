"""A request as its usager sees it, and what they may ask for."""

from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

Status = Literal["received", "registered", "assigned", "in_charge", "waiting", "answered", "resolved", "withdrawn", "erased"]
"""The states of the life that the router tells, "received" before it has told anything."""

What = Literal[
    "received", "added", "withdrawal_asked", "reopening_asked",
    "assigned", "transferred", "taken_in_charge", "asked", "replied", "answered", "resolved", "reopened", "withdrawn",
    "forgotten", "refused",
    "missed", "escalated",
]  # fmt: skip

OPEN: Final[frozenset[Status]] = frozenset({"received", "registered", "assigned", "in_charge", "waiting", "answered"})
"""The states in which somebody still works on the request."""
SETTLED: Final[frozenset[Status]] = frozenset({"answered", "resolved"})
"""The states that a usager may contest by asking to reopen."""
CLOSED: Final[frozenset[Status]] = SETTLED | {"withdrawn"}
"""The states in which nothing more is expected: the months of retention run from what happened last."""


class Entry(Struct, frozen=True):
    """One line of the history. `sealed`: a text under the request's key. `note`: who was told, or which act was refused."""

    at: datetime
    what: What
    service: str | None = None
    sealed: str | None = None
    note: str | None = None


class Announced(Struct, frozen=True):
    """The promise as it was announced."""

    code: str
    label: str
    working_seconds: int
    start_at: datetime
    due_at: datetime


class TrackedRequest(Struct, frozen=True):
    """What the tracking page shows. Each topic fills fields of its own, so that the order across topics does not matter.

    `closed_at` is the latest step of its life, while it is in a closed state and not erased.
    `taken_at` is when somebody first took it in charge, which the promise is about; a reopening does not take it back.
    `asked` is what the usager did (requests.v1), `life` what became of it (handling.v1), `delays` what the sla told.
    Until `received_at` is set only other topics have spoken of the request (while states are rebuilt from the log).
    """

    authority: str
    reference: str = ""
    token_digest: str | None = None
    channel: str = ""
    chosen: str | None = None
    category: str | None = None
    language: str = "fr"
    demande: bool = False
    received_at: datetime | None = None
    promise: Announced | None = None
    sealed: str | None = None
    erased_at: datetime | None = None
    told: Status = "received"
    owner: str | None = None
    taken_at: datetime | None = None
    closed_at: datetime | None = None
    asked: tuple[Entry, ...] = ()
    life: tuple[Entry, ...] = ()
    delays: tuple[Entry, ...] = ()

    @property
    def status(self) -> Status:
        """Where the request stands; erasing is the usager's and needs nobody's word."""
        return "erased" if self.erased_at is not None else self.told

    @property
    def withdrawal_pending(self) -> bool:
        """Whether the router has still to answer a withdrawal."""
        return self._count(self.asked, "withdrawal_asked") > self._count(self.life, "withdrawn") + self._refused("withdraw")

    @property
    def reopening_pending(self) -> bool:
        """Whether the router has still to answer a wish to reopen: what it reopened because of a message answers none."""
        wishes = {entry.sealed for entry in self.asked if entry.what == "reopening_asked"}
        granted = sum(1 for entry in self.life if entry.what == "reopened" and entry.sealed in wishes)
        return self._count(self.asked, "reopening_asked") > granted + self._refused("reopen")

    @property
    def history(self) -> tuple[Entry, ...]:
        """Everything that happened, the oldest first. It begins with the request, whatever two machines' clocks say."""
        entries = (*self.asked, *self.life, *self.delays)
        return tuple(sorted(entries, key=lambda entry: (entry.what != "received", entry.at)))

    def _refused(self, action: str) -> int:
        return sum(1 for entry in self.life if entry.what == "refused" and entry.note == action)

    @staticmethod
    def _count(entries: tuple[Entry, ...], what: What) -> int:
        return sum(1 for entry in entries if entry.what == what)
