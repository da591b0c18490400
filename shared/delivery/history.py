"""The histories of requests as the log tells them, and the states that they fold to. Pure."""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
    """An event, as bytes: a month of a city's events fits into memory that way. `seen`: what its writer had taken by then."""

    at: datetime
    cls: type[BaseModel]
    value: bytes
    seen: bytes | None = None

    def event(self) -> Any:
        """Return the event itself. Any: an event class."""
        return self.cls.__pydantic_validator__.validate_json(self.value)


Events = Mapping[int, Told]
"""Events of one topic about one request, by their sequence."""


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

    def add(self, topic: str, received: Received, value: bytes, seen: bytes | None = None) -> None:
        """Note an event down; one that is known already changes nothing."""
        event: Any = received.event  # an event class
        assert received.sequence is not None, "only numbered topics make histories"
        told = Told(event.at, type(event), value, seen)
        self._events[event.request_id][topic].setdefault(received.sequence, told)

    def fold(self, request_id: UUID, limits: Limits) -> Folded:
        """Return what the request's history folds to, by `evolve` alone, in the order of `in_order`."""
        topics = self._events.get(request_id, {})
        cut = False
        seen: list[int] = []
        consumed: list[Events] = []
        for topic in self._service.sequenced:
            taken, last, holed = self._consumed(request_id, topic.name, topics.get(topic.name, {}), limits)
            consumed.append(taken)
            seen.append(last)
            cut |= holed
        own = [topics.get(topic.name, {}) for topic in self._service.produces]
        cut |= any(max(mine, default=0) != len(mine) for mine in own)
        state: S | None = None
        authority = ""
        for one in in_order(self._service, consumed, own):
            event = one.event()
            authority = authority or event.authority
            state = self._service.evolve(state, event)
        return Folded(authority, self._codec.encode(state), tuple(seen), tuple(max(mine, default=0) for mine in own), cut)

    @staticmethod
    def _consumed(request_id: UUID, topic: str, events: Events, limits: Limits) -> tuple[Events, int, bool]:
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
        return taken, last, beyond


def in_order(service: Service[Any], consumed: Sequence[Events], own: Sequence[Events]) -> Iterator[Told]:
    """Yield the events of a request in the order in which the service took them and told its own.

    Each of its own events says what had been taken before it. What was taken between two of them comes by time: `evolve`
    comes out the same in any order across topics. The first event of `requests.v1` is before all: nothing can be known of
    a request earlier. An own event that says nothing comes behind what has its instant.
    """
    streams = [_stream(topic.name, events) for topic, events in zip(service.sequenced, consumed, strict=True)]
    at = [0] * len(streams)
    told = [_own_stream(events, streams, place) for place, events in enumerate(own)]
    for key, one in heapq.merge(*told, key=lambda entry: entry[0]):
        yield from _until(streams, at, key.seen)
        yield one
    yield from _until(streams, at, None)


class _Consumed(NamedTuple):
    later: bool
    at: datetime
    sequence: int


class _Own(NamedTuple):
    taken: int
    at: datetime
    place: int
    sequence: int
    seen: tuple[int, ...]


def _until(streams: list[list[tuple[_Consumed, Told]]], at: list[int], seen: tuple[int, ...] | None) -> Iterator[Told]:
    """Yield the events from `at` on up to the sequences of `seen` (all, without it), by time; move `at` on."""
    parts = []
    for place, stream in enumerate(streams):
        end = begin = at[place]
        while end < len(stream) and (seen is None or stream[end][0].sequence <= seen[place]):
            end += 1
        if end > begin:
            parts.append(stream[begin:end])
            at[place] = end
    yield from (one for _, one in heapq.merge(*parts, key=lambda entry: entry[0][:2]))


def _stream(topic: str, events: Events) -> list[tuple[_Consumed, Told]]:
    """Return the events of a topic with the keys that they are merged by, which never fall."""
    stream: list[tuple[_Consumed, Told]] = []
    latest: datetime | None = None
    for sequence in sorted(events):
        one = events[sequence]
        latest = one.at if latest is None or one.at > latest else latest
        first = topic == REQUESTS.name and sequence == 1
        stream.append((_Consumed(not first, latest, sequence), one))
    return stream


def _own_stream(events: Events, consumed: list[list[tuple[_Consumed, Told]]], place: int) -> list[tuple[_Own, Told]]:
    stream: list[tuple[_Own, Told]] = []
    latest: datetime | None = None
    seen = (0,) * len(consumed)
    for sequence in sorted(events):
        one = events[sequence]
        latest = one.at if latest is None or one.at > latest else latest
        taken = read_seen(one.seen, len(consumed)) if one.seen is not None else _seen_at(consumed, latest)
        seen = tuple(map(max, seen, taken))
        stream.append((_Own(sum(seen), latest, place, sequence, seen), one))
    return stream


def read_seen(text: bytes, topics: int) -> tuple[int, ...]:
    """Return the sequences that a `ce_seen` names, one for each topic that is read; 0 for a topic that it does not know yet."""
    numbers = [int(part) for part in text.split(b",") if part.isdigit()][:topics]
    return (*numbers, *(0,) * (topics - len(numbers)))


def _seen_at(consumed: list[list[tuple[_Consumed, Told]]], instant: datetime) -> tuple[int, ...]:
    return tuple(max((key.sequence for key, _ in stream if not key.later or key.at <= instant), default=0) for stream in consumed)
