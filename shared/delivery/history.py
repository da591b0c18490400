"""The histories of requests as the log tells them, and the states that they fold to. Pure."""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from pydantic import BaseModel

from shared.delivery.service import Service, StateCodec
from shared.events.envelope import Received
from shared.events.topics import REQUESTS

S = TypeVar("S")


class Told(NamedTuple):
    """An event, as bytes: a month of a city's events fits into memory that way."""

    at: datetime
    cls: type[BaseModel]
    value: bytes


class Folded(NamedTuple):
    """What a history folds to. `cut`: a topic of it goes on after a hole, or begins after its first event."""

    authority: str
    state: bytes | None
    seen: tuple[int, ...]
    sent: tuple[int, ...]
    cut: bool


@dataclass(slots=True)
class Limits:
    """What the live service did not take of a request: events that an operator skipped, and those still parked."""

    skipped: set[tuple[UUID, str, int]] = field(default_factory=set)
    parked: set[tuple[UUID, str, int]] = field(default_factory=set)


class Histories(Generic[S]):
    """The events of many requests, for one service: consumed ones and its own, each once."""

    def __init__(self, service: Service[S]) -> None:
        self._service = service
        self._codec: StateCodec[S] = StateCodec(service.state)
        self._events: dict[UUID, dict[str, dict[int, Told]]] = defaultdict(lambda: defaultdict(dict))

    def __iter__(self) -> Iterator[UUID]:
        return iter(list(self._events))

    def add(self, topic: str, received: Received, value: bytes) -> None:
        """Note an event down; one that is known already changes nothing."""
        event: Any = received.event  # an event class
        assert received.sequence is not None, "only numbered topics make histories"
        self._events[event.request_id][topic].setdefault(received.sequence, Told(event.at, type(event), value))

    def fold(self, request_id: UUID, limits: Limits) -> Folded:
        """Return what the request's history folds to, by `evolve` alone.

        Merged by event time, the order within a topic always kept; a consumed event comes before one of the service's own
        of the same instant, and the first event of `requests.v1` before all: nothing can be known of a request earlier.
        """
        topics = self._events.get(request_id, {})
        cut = False
        seen: list[int] = []
        streams: list[list[tuple[tuple[Any, ...], Told]]] = []
        for place, topic in enumerate(self._service.sequenced):
            stream, last, holed = self._consumed(request_id, topic.name, topics.get(topic.name, {}), limits, place)
            streams.append(stream)
            seen.append(last)
            cut |= holed
        told: list[int] = []
        for place, topic in enumerate(self._service.produces):
            mine = topics.get(topic.name, {})
            cut |= max(mine, default=0) != len(mine)
            streams.append(_stream(mine, topic.name, own=1, place=place))
            told.append(max(mine, default=0))
        state: S | None = None
        authority = ""
        for _, one in heapq.merge(*streams, key=lambda entry: entry[0]):
            event: Any = one.cls.__pydantic_validator__.validate_json(one.value)
            authority = authority or event.authority
            state = self._service.evolve(state, event)
        return Folded(authority, self._codec.encode(state), tuple(seen), tuple(told), cut)

    @staticmethod
    def _consumed(
        request_id: UUID, topic: str, events: Mapping[int, Told], limits: Limits, place: int
    ) -> tuple[list[tuple[tuple[Any, ...], Told]], int, bool]:
        """Return what was taken of a topic, the last sequence, and whether it stops although the log goes on."""
        taken: dict[int, Told] = {}
        last = 0
        while True:
            name = (request_id, topic, last + 1)
            if name in limits.parked or (name not in limits.skipped and last + 1 not in events):
                break
            last += 1
            if name not in limits.skipped:
                taken[last] = events[last]
        beyond = max(events, default=0) > last and (request_id, topic, last + 1) not in limits.parked
        return _stream(taken, topic, own=0, place=place), last, beyond


def _stream(events: Mapping[int, Told], topic: str, *, own: int, place: int) -> list[tuple[tuple[Any, ...], Told]]:
    """Return the events of a topic with the keys that they are merged by, which never fall."""
    stream: list[tuple[tuple[Any, ...], Told]] = []
    latest: datetime | None = None
    for sequence in sorted(events):
        one = events[sequence]
        latest = one.at if latest is None or one.at > latest else latest
        first = topic == REQUESTS.name and sequence == 1
        stream.append(((0 if first else 1, latest, own, place, sequence), one))
    return stream
