"""What a service declares to the shell: two pure functions, a projection, its topics."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from pydantic import BaseModel

from shared.events.topics import Topic, consumed_by, produced_by
from shared.organisation import Authority

S = TypeVar("S")


class Context(msgspec.Struct, frozen=True):
    """What a decision may look at besides the state: the instant, the organisation of the authority, the request's id."""

    now: datetime
    authority: Authority
    request_id: UUID


class Change(msgspec.Struct, Generic[S], frozen=True):
    """What a step did: the state after it and the events that tell it, in order."""

    state: S | None
    events: tuple[BaseModel, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One set-based SQL statement; its arguments are arrays, one per column, all of one length (`unnest`)."""

    name: str
    sql: str
    combine: Callable[[list[tuple[Any, ...]]], list[tuple[Any, ...]]] | None = None
    """Brings the rows of a batch together before they are sent, where many of them fall on one key. Pure."""
    last: bool = False
    """It looks at what other statements of the batch wrote. All others are written in one round trip, and see nothing of it."""


Row = tuple[Statement, tuple[Any, ...]]
"""One row for a statement. Rows of a batch are gathered, and each statement runs once."""


def no_rows(_request_id: UUID, _before: Any, _after: Any) -> Iterable[Row]:
    """Project nothing: for a service without rows of its own."""
    return ()


@dataclass(frozen=True)
class Service(Generic[S]):
    """A service, as the shell sees it.

    decide(state, input, context) -> events: what the service says about an input (a fact of another service, or a
        command: a click, a tick, a mail's outcome). Pure. It sees the state before the input.
    evolve(state, event) -> state: what a fact, consumed or own, changes. Pure, and of the state and the event alone, so
        that the states can be rebuilt from the log. It must come out the same in any order across topics.
    project(request_id, before, after) -> rows: the service's own tables, as a function of the states.
    """

    name: str
    state: type[S]
    decide: Callable[[S | None, Any, Context], tuple[BaseModel, ...]]
    evolve: Callable[[S | None, Any], S | None]
    project: Callable[[UUID, S | None, S | None], Iterable[Row]] = no_rows
    tables: tuple[str, ...] = ()
    """The service's own tables that `project` fills: emptied and filled again by a rebuild."""
    pace_seconds: float = 0.010
    """See shared/delivery/pace.py. Longer where nobody waits for what a batch leads to."""

    @property
    def consumes(self) -> tuple[Topic, ...]:
        """The topics it reads."""
        return consumed_by(self.name)

    @property
    def produces(self) -> tuple[Topic, ...]:
        """The topics it writes."""
        return produced_by(self.name)

    @property
    def sequenced(self) -> tuple[Topic, ...]:
        """The topics it reads whose events are numbered per request."""
        return tuple(topic for topic in self.consumes if topic.sequenced)

    def step(self, state: S | None, event: Any, context: Context, *, fact: bool) -> Change[S]:
        """Decide, then evolve by the fact itself (a command is none) and by what was decided."""
        events = self.decide(state, event, context)
        if fact:
            state = self.evolve(state, event)
        for own in events:
            state = self.evolve(state, own)
        return Change(state, events)


class StateCodec(Generic[S]):
    """States as readable JSON bytes, the same bytes for the same state."""

    def __init__(self, state: type[S]) -> None:
        self._decode = msgspec.json.Decoder(state).decode
        self._encode = msgspec.json.Encoder(order="deterministic").encode

    def encode(self, state: S | None) -> bytes | None:
        """Return the bytes of a state."""
        return None if state is None else self._encode(state)

    def decode(self, stored: bytes | None) -> S | None:
        """Return the state of stored bytes."""
        return None if stored is None else self._decode(stored)
