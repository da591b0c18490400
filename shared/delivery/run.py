"""One request while a batch is folded over it."""

from collections.abc import Callable
from typing import Generic, TypeVar
from uuid import UUID

from msgspec import Struct, field
from msgspec.structs import replace

from shared.delivery.service import Context, Row
from shared.delivery.values import Input, Known, Outgoing, Parked, ParkedWhy, RawRecord, Resolution, Result, Waiting

S = TypeVar("S")
ContextFor = Callable[[str, UUID], Context]
"""Gives the context of one input, from the code of its authority and the request's id."""


class Run(Struct, Generic[S]):
    """What has become of a request so far in this batch. `known` is what the store had and stays as it was.

    careful: encode and project after each input, to find the one that leads to what cannot be encoded or projected.
    alone: take no parked successor along.
    """

    request_id: UUID
    authority: str
    known: Known[S]
    careful: bool = False
    alone: bool = False
    state: S | None = None
    seen: list[int] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    touched: bool = False
    encoded: bytes | None = None
    outbox: list[Outgoing] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    parked: dict[RawRecord, Parked] = field(default_factory=dict)
    released: dict[int, Resolution] = field(default_factory=dict)
    relabelled: list[tuple[int, ParkedWhy, str]] = field(default_factory=list)
    results: list[tuple[int, Result[S]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = self.known.state
        self.seen = list(self.known.seen)
        self.sent = list(self.known.sent)
        self.waiting = list(self.known.waiting)

    def find_waiting(self, topic: str, sequence: int) -> Waiting | None:
        """Return the parked record that has this place in the life of the request."""
        return next((one for one in self.waiting if one.topic == topic and one.sequence == sequence), None)

    def drop(self, one: Input) -> Result[S]:
        """Pass over an input that is known already; when it is a parked record tried again, nobody waits for it any more."""
        if one.parked_id is not None and one.parked_id not in self.released:
            self.release_id(one.parked_id, "duplicate")
            self.touched = True
        return Result("duplicate", self.request_id)

    def park(self, one: Input, why: ParkedWhy, detail: str) -> Result[S]:
        """Put an input aside with its reason. One that is parked already stays where it is."""
        if one.raw is None:
            raise ValueError("a local input is never parked")
        if one.parked_id is not None:
            self.relabelled.append((one.parked_id, why, detail))
            return Result("parked", self.request_id)
        raw = one.raw
        self.parked[raw] = Parked(raw, why, detail, error_id_of(raw), self.request_id, one.authority, one.sequence)
        if one.sequence is not None and one.topic is not None:
            self.waiting.append(Waiting(0, one.topic, one.sequence, why, one))
        self.touched = True
        return Result("parked", self.request_id)

    def release(self, taken: Waiting, how: Resolution = "taken") -> None:
        """Forget a parked record whose event has now been taken."""
        self.waiting.remove(taken)
        if taken.id:
            self.released[taken.id] = how
        elif taken.input.raw is not None:  # parked earlier in this very batch
            self.parked.pop(taken.input.raw, None)

    def release_id(self, parked_id: int, how: Resolution) -> None:
        """Forget the parked record of this id, which was tried again."""
        self.waiting = [one for one in self.waiting if one.id != parked_id]
        self.released[parked_id] = how

    def relabel(self, waiting: Waiting, why: ParkedWhy, detail: str) -> None:
        """Give a parked record another reason."""
        self.waiting[self.waiting.index(waiting)] = replace(waiting, why=why)
        if waiting.id:
            self.relabelled.append((waiting.id, why, detail))
        elif waiting.input.raw is not None:
            raw, authority = waiting.input.raw, waiting.input.authority
            self.parked[raw] = Parked(raw, why, detail, error_id_of(raw), self.request_id, authority, waiting.sequence)


def error_id_of(raw: RawRecord) -> str:
    """Return the id by which a parked record is followed through logs and tools: its place in the log."""
    return f"{raw.topic}/{raw.partition}/{raw.offset}"
