"""The life of a request: its states, who owns it, what each state allows. One table."""

from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct

from shared.events import handling
from shared.events.handling import Action, Status

UsagerMove: TypeAlias = Literal["add", "withdraw", "reopen", "erase"]
Move: TypeAlias = Action | UsagerMove
"""What can be asked for: by agents and business software (Action), or by the usager."""

OPEN: Final[frozenset[Status]] = frozenset({"assigned", "in_charge", "waiting", "answered"})
"""The states in which exactly one service owns the request. In the others nobody does."""

TRANSITIONS: Final[dict[tuple[Status, Move], Status]] = {
    ("assigned", "take_charge"): "in_charge",
    ("assigned", "ask"): "waiting",
    ("assigned", "answer"): "answered",
    ("assigned", "transfer"): "assigned",
    ("assigned", "resolve"): "resolved",
    ("assigned", "add"): "assigned",
    ("assigned", "withdraw"): "withdrawn",
    ("assigned", "erase"): "erased",
    ("in_charge", "ask"): "waiting",
    ("in_charge", "answer"): "answered",
    ("in_charge", "transfer"): "assigned",
    ("in_charge", "resolve"): "resolved",
    ("in_charge", "add"): "in_charge",
    ("in_charge", "withdraw"): "withdrawn",
    ("in_charge", "erase"): "erased",
    ("waiting", "ask"): "waiting",
    ("waiting", "answer"): "answered",
    ("waiting", "transfer"): "assigned",
    ("waiting", "resolve"): "resolved",
    ("waiting", "add"): "in_charge",
    ("waiting", "withdraw"): "withdrawn",
    ("waiting", "erase"): "erased",
    ("answered", "ask"): "waiting",
    ("answered", "answer"): "answered",
    ("answered", "transfer"): "assigned",
    ("answered", "resolve"): "resolved",
    ("answered", "add"): "answered",
    ("answered", "withdraw"): "withdrawn",
    ("answered", "reopen"): "assigned",
    ("answered", "erase"): "erased",
    ("resolved", "add"): "assigned",
    ("resolved", "reopen"): "assigned",
    ("resolved", "erase"): "erased",
    ("withdrawn", "erase"): "erased",
}
"""Each state, what may be asked for in it, and the state after it. What is not here is refused, see `why_not`.

An agent who asks, answers or resolves before saying "mine" takes the request in charge by it. What a usager adds to a
settled request reopens it: they wrote it while the agent settled, and a message that was taken is read by somebody.
"""

_ALREADY: Final[dict[tuple[Status, Move], str]] = {
    ("in_charge", "take_charge"): "already_in_charge",
    ("waiting", "take_charge"): "already_in_charge",
    ("answered", "take_charge"): "already_answered",
    ("assigned", "reopen"): "already_open",
    ("in_charge", "reopen"): "already_open",
    ("waiting", "reopen"): "already_open",
    ("resolved", "resolve"): "already_resolved",
    ("withdrawn", "withdraw"): "already_withdrawn",
}

What: TypeAlias = Literal[
    "registered", "assigned", "transferred", "taken_in_charge", "asked", "replied", "answered", "resolved", "reopened",
    "withdrawn", "forgotten",
]  # fmt: skip

WHAT: Final[dict[type[handling.LifeEvent], What]] = {
    handling.RequestRegistered: "registered",
    handling.RequestAssigned: "assigned",
    handling.RequestTransferred: "transferred",
    handling.TakenInCharge: "taken_in_charge",
    handling.UsagerAsked: "asked",
    handling.UsagerReplied: "replied",
    handling.RequestAnswered: "answered",
    handling.RequestResolved: "resolved",
    handling.RequestReopened: "reopened",
    handling.RequestWithdrawn: "withdrawn",
    handling.RequestForgotten: "forgotten",
}
"""The word of the history for each event that moves the life."""


def why_not(status: Status, move: Move) -> str | None:
    """Return the code that says why a state does not allow a move; None when it does.

    already_...: it is done. resolved, withdrawn, erased: nothing more is done in that state.
    """
    if (status, move) in TRANSITIONS:
        return None
    return _ALREADY.get((status, move), status)


def actions_in(status: Status) -> tuple[Action, ...]:
    """Return what an agent may do in a state, in the order of the pages."""
    return tuple(action for action in get_args(Action) if (status, action) in TRANSITIONS)


class Entry(Struct, frozen=True):
    """One line of the history: what happened, when, and the service that owned the request after it (nobody once closed).

    `sealed` is who did it and their text (AgentAct), or for "replied" and "reopened" what the usager wrote (UsagerMessage).
    """

    at: datetime
    what: What
    service: str | None
    sealed: str | None = None


class Life(Struct, frozen=True):
    """A request as the router knows it. `version` counts what happened to it: a link made for a version dies with it.

    The history has one entry per version, so that `history[version:]` is what happened since a version was seen.
    `service` is the owner, and once the request is closed the last one: it gets it back when it is reopened.
    """

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
    reason: str = ""
    history: tuple[Entry, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether a service owns it."""
        return self.status in OPEN

    @property
    def owner(self) -> str | None:
        """The service that owns it now; None once it is closed."""
        return self.service if self.is_open else None
