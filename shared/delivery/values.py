"""The values that go into and come out of the pure core."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

from msgspec import Struct, field
from pydantic import BaseModel

from shared.delivery.service import Row, Statement

S = TypeVar("S")
ParkedWhy = Literal["undecodable", "poison", "gap", "waiting", "refused"]
Resolution = Literal["taken", "skipped", "duplicate", "replaced"]
"""Why a parked record is parked no more: taken in its turn, passed over by an operator, known already, sent anew."""


class RawRecord(NamedTuple):
    """A Kafka record as it came, kept so that it can be parked with its original bytes."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None


class Ticket(NamedTuple):
    """The identity of an input that has no sequence; the same ticket is taken once. `digest` tells whether it is the same."""

    source: str
    id: str
    digest: bytes | None = None


class Input(NamedTuple):
    """One input of the fold: a fact read from a topic, or a command (from a topic, a page, a tick, a mail server).

    rows: written along in the same transaction, if the input is accepted.
    parked_id: set when it is a parked record tried again: taken, the parked row is released; not taken, it stays.
    fault: why the record cannot be decoded; it has no event, but a place in the life of its request.
    new: its request id was made for it a moment ago: nothing can be known of it, nothing is looked up.
    skip: an operator's decision to pass over a parked record: its sequence counts as seen, its event is not looked at.
    """

    request_id: UUID
    authority: str
    event: Any  # a fact (an event class), a command (a class of the service), or None with a fault
    fact: bool = False
    topic: str | None = None
    sequence: int | None = None
    ticket: Ticket | None = None
    traceparent: str | None = None
    rows: tuple[Row, ...] = ()
    raw: RawRecord | None = None
    parked_id: int | None = None
    fault: str | None = None
    skip: bool = False
    new: bool = False


class Waiting(Struct, eq=False, frozen=True):
    """An open parked record of a held request."""

    id: int
    topic: str
    sequence: int
    why: ParkedWhy
    input: Input


class Known(Struct, Generic[S]):
    """What the store knows of a request: its state, and the last sequences seen and sent, a number per topic."""

    state: S | None
    revision: int
    seen: list[int]
    sent: list[int]
    held: bool = False
    waiting: list[Waiting] = field(default_factory=list)


class Saved(NamedTuple):
    """A request to be saved."""

    request_id: UUID
    authority: str
    revision: int
    held: bool
    state: bytes | None
    seen: tuple[int, ...]
    sent: tuple[int, ...]


class Outgoing(NamedTuple):
    """A record for the outbox: an event of ours, or the copy of a parked record (no sequence, its own headers)."""

    request_id: UUID | None
    topic: str
    key: bytes | None
    sequence: int | None
    type: str
    at: datetime | None
    traceparent: str | None
    value: bytes | None
    headers: bytes | None = None
    seen: str | None = None
    """What its writer had taken of the request: the last sequence per topic that it reads, in the order of their declaration."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A record put aside, with the reason."""

    raw: RawRecord
    why: ParkedWhy
    detail: str
    error_id: str
    request_id: UUID | None = None
    authority: str | None = None
    sequence: int | None = None


class Result(Struct, Generic[S], frozen=True):
    """What became of one input."""

    kind: Literal["done", "duplicate", "parked", "failed"]
    request_id: UUID
    state: S | None = None
    events: tuple[BaseModel, ...] = ()
    error: Exception | None = None


class Folded(Struct, Generic[S]):
    """All that a batch changes. `results` are in the order of the inputs."""

    saved: list[Saved] = field(default_factory=list)
    outbox: list[Outgoing] = field(default_factory=list)
    rows: dict[Statement, list[tuple[Any, ...]]] = field(default_factory=dict)
    parked: list[Parked] = field(default_factory=list)
    released: dict[int, Resolution] = field(default_factory=dict)
    """Parked rows that are parked no more."""
    relabelled: list[tuple[int, ParkedWhy, str]] = field(default_factory=list)
    """Parked rows whose reason is another one now."""
    tickets: list[tuple[Ticket, UUID]] = field(default_factory=list)
    results: list[Result[S]] = field(default_factory=list)


Taken = Mapping[tuple[str, str], tuple[bytes | None, UUID]]
"""Tickets already taken: (source, id) -> (digest, request id)."""
