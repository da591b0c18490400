"""The states: invariant 8. The log folded into empty stores gives the live states, whatever the order across topics."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Any, Final
from uuid import UUID

from services.intake.service import INTAKE
from services.notifier.service import NOTIFIER
from services.router.service import ROUTER
from services.sla.service import SLA
from services.stats.service import STATS
from shared.delivery.service import Service, StateCodec
from tests.judge.evidence import Evidence, History, Record

ALL: Final[tuple[Service[Any], ...]] = (INTAKE, ROUTER, SLA, NOTIFIER, STATS)
_CODECS: Final = {service.name: StateCodec[Any](service.state) for service in ALL}


def taken(evidence: Evidence, service: Service[Any]) -> Iterator[tuple[UUID, list[list[Record]]]]:
    """Give, for each request of the log, what a service took of it and what it said, a list for each topic."""
    parked = {(row["request_id"], row["topic"], row["sequence"]) for row in evidence.parked(service.name)}
    skipped = {
        (row["request_id"], row["topic"], row["sequence"])
        for row in evidence.rows[f"{service.name}.parked"]
        if row["resolution"] == "skipped"
    }
    topics = [(topic.name, evidence.by_topic.get(topic.name, {})) for topic in service.sequenced]
    own = [evidence.by_topic.get(topic.name, {}) for topic in service.produces]
    for request_id in {one for _, told in topics for one in told}.union(*own):
        streams = [_until_parked(name, told.get(request_id, []), parked, skipped) for name, told in topics]
        yield request_id, [*streams, *(told.get(request_id, []) for told in own)]


def _until_parked(
    topic: str, told: list[Record], parked: set[tuple[UUID, str, int]], skipped: set[tuple[UUID, str, int]]
) -> list[Record]:
    """Return the events up to the first that is missing or parked, without those that an operator skipped."""
    found: list[Record] = []
    following = 1
    for one in told:
        while (one.request_id, topic, following) in skipped and following < one.sequence:
            following += 1
        name = (one.request_id, topic, one.sequence)
        if name in parked or one.sequence != following:
            break
        following += 1
        if name not in skipped:
            found.append(one)
    return found


def diverged_states(evidence: Evidence, history: History, *, orders: int, seed: int = 0) -> Iterable[str]:
    """Return each live state that is not, byte for byte, what its log folds to, in so many orders drawn from the seed."""
    random = Random(seed)
    for service in ALL:
        codec, evolve, live = _CODECS[service.name], service.evolve, evidence.requests[service.name]
        for request_id, streams in taken(evidence, service):
            if request_id in history.forged:
                continue
            row = live.get(request_id)
            kept = bytes(row["state"]) if row is not None and row["state"] is not None else None
            for _ in range(orders):
                order = interleaved(streams, random, received_first=service is ROUTER)
                state: Any = None
                for one in order:
                    state = evolve(state, one.event)
                if codec.encode(state) != kept:
                    yield f"8 state: {service.name} of {request_id} is not what {_told(order)} fold to"
                    break
        known = {one for one, row in live.items() if row["state"] is not None and one not in history.forged}
        for request_id in known.difference(
            *(evidence.by_topic.get(topic.name, {}) for topic in (*service.sequenced, *service.produces))
        ):
            yield f"8 state: {service.name} has one of {request_id}, of which the log knows nothing"


def _told(order: list[Record]) -> str:
    return ", ".join(f"{one.name} {one.sequence}" for one in order)


def interleaved(streams: list[list[Record]], random: Random, *, received_first: bool) -> list[Record]:
    """Return one of the orders in which records can be read: each topic's own is kept.

    The router alone may count on one thing across topics: it says nothing of a request before it was received.
    """
    left = [[*reversed(stream)] for stream in streams if stream]
    order: list[Record] = []
    if received_first:
        order += [stream.pop() for stream in left if stream[-1].topic == "requests.v1"]
        left = [stream for stream in left if stream]
    while len(left) > 1:
        place = int(random.random() * len(left))
        order.append(left[place].pop())
        if not left[place]:
            del left[place]
    for stream in left:
        order += reversed(stream)
    return order
