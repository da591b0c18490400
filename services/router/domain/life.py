"""The life of a request: its states, who owns it, and which acts each state allows. One table."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.events.handling import Action, Status

OPEN: Final[frozenset[Status]] = frozenset({"registered", "assigned", "in_charge", "waiting", "answered"})
"""The states in which exactly one service owns the request. In the others nobody does."""

TRANSITIONS: Final[dict[tuple[Status, Action], Status]] = {
    ("assigned", "take_charge"): "in_charge",
    ("assigned", "ask"): "waiting",
    ("in_charge", "ask"): "waiting",
    ("waiting", "ask"): "waiting",
    ("assigned", "answer"): "answered",
    ("in_charge", "answer"): "answered",
    ("waiting", "answer"): "answered",
    ("answered", "answer"): "answered",
    ("assigned", "transfer"): "assigned",
    ("in_charge", "transfer"): "assigned",
    ("waiting", "transfer"): "assigned",
    ("answered", "transfer"): "assigned",
    ("assigned", "resolve"): "resolved",
    ("in_charge", "resolve"): "resolved",
    ("waiting", "resolve"): "resolved",
    ("answered", "resolve"): "resolved",
}
"""What an agent may do in each state, and the state after it. What is not here is refused.

An agent who answers, asks or resolves before saying "mine" takes the request in charge by it.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history: what happened, when, to which service it left the request, and who did it (sealed)."""

    at: datetime
    what: str
    service: str | None
    sealed: str | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """A request as the router knows it. `version` counts what happened to it: a link made for a version dies with it."""

    authority: str
    reference: str
    channel: str
    category: str | None
    language: str
    received_at: datetime
    due_at: datetime
    status: Status
    service: str | None
    version: int
    sealed: str | None
    taken_at: datetime | None = None
    reason: str = ""
    history: tuple[Entry, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether a service owns it."""
        return self.status in OPEN


@dataclass(frozen=True, slots=True)
class Act:
    """What an agent, or business software, asks for.

    `expected_version` is the version of the request that they were looking at; None when they do not say.
    `sealed` is who acts, and the text for the usager (AgentAct, under the request's key).
    """

    action: Action
    expected_version: int | None = None
    target: str | None = None
    sealed: str | None = None
    has_text: bool = False
