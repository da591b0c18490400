"""What a service told in the minutes that its database forgot: its own events that the log has and the database does not know."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.delivery.ahead import Name, find_unknown, name_of
from shared.delivery.history import Told
from shared.delivery.log_reader import LogReader
from shared.delivery.service import Service
from shared.delivery.store import Connection, Place
from shared.delivery.values import RawRecord
from shared.events.envelope import Undecodable, decode
from shared.events.traceparent import read_traceparent

MARGIN = timedelta(minutes=10)
"""By how much the clocks of PostgreSQL and Kafka may differ."""
SET = 2000


Dated = tuple[datetime, RawRecord]
"""When a record was published, and the record."""


class Conflicting(Exception):
    """The database has given a number anew that the log had given to another event: nothing can be reconciled by itself."""


@dataclass(frozen=True, slots=True)
class LostEvent:
    """An own event of the lost minutes, as its record in the log has it."""

    name: Name
    told: Told
    raw: RawRecord
    published_at: datetime
    traceparent: str | None
    event: Any  # an event class


@dataclass(slots=True)
class Lost:
    """All of them, by request; and those that the database knows, but not that they were published."""

    events: dict[Name, LostEvent] = field(default_factory=dict)
    published: list[Name] = field(default_factory=list)
    since: datetime | None = None
    """When the database last kept something to publish: the lost minutes begin here."""

    @property
    def requests(self) -> set[UUID]:
        """The requests that they are about."""
        return {name.request_id for name in self.events}

    @property
    def until(self) -> datetime | None:
        """The instant that the last of them tells. It may have been published much later, when Kafka was away."""
        return max((one.told.at for one in self.events.values()), default=None)


async def find_lost(connection: Connection, reader: LogReader, service: Service[Any], tell: Callable[[int, int], None]) -> Lost:
    """Read the service's own topics from the last instant that the database knows, and return what it does not know.

    Raises:
        Conflicting: an event waits to be published under a number that the log has given to another.
    """
    lost = Lost(since=await connection.fetchval(f"SELECT max(created_at) FROM {service.name}.outbox"))  # noqa: S608
    if not service.produces:
        return lost
    mine = {topic.name for topic in service.produces}
    bounds = {place: bound for place, bound in (await reader.find_bounds(existing_only=True)).items() if place[0] in mine}
    if lost.since is not None:
        bounds = await reader.find_since(lost.since - MARGIN, bounds)
    batch: dict[Name, Dated] = {}
    async for dated in reader.read_dated(bounds, tell):
        if (name := name_of(service.name, dated[1].topic, dict(dated[1].headers))) is not None:
            batch.setdefault(name, dated)
        if len(batch) >= SET:
            await _sort(connection, service.name, batch, lost)
            batch = {}
    await _sort(connection, service.name, batch, lost)
    return lost


async def _sort(connection: Connection, service: str, batch: Mapping[Name, Dated], lost: Lost) -> None:
    unknown = await find_unknown(connection, service, batch)
    for name in unknown - lost.events.keys():
        if (one := _lost_event(name, *batch[name])) is not None:
            lost.events[name] = one
    pending = await _find_pending(connection, service, [name for name in batch if name not in unknown])
    for name, value in pending.items():
        if value != batch[name][1].value:
            raise Conflicting(
                f"{name.topic} {name.request_id} {name.sequence} waits to be published, and the log has another one"
            )
    lost.published += pending


async def _find_pending(connection: Connection, service: str, names: Sequence[Name]) -> dict[Name, bytes | None]:
    rows = await connection.fetch(
        f"SELECT request_id, topic, sequence, value FROM {service}.outbox WHERE published_at IS NULL "  # noqa: S608
        "AND (request_id, topic, sequence) IN (SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[]))",
        [name.request_id for name in names],
        [name.topic for name in names],
        [name.sequence for name in names],
    )
    return {Name(row[0], row[1], row[2]): row[3] for row in rows}


def _lost_event(name: Name, published_at: datetime, raw: RawRecord) -> LostEvent | None:
    headers: Mapping[str, bytes] = dict(raw.headers)
    try:
        event: Any = decode(raw.topic, headers, raw.value).event
    except Undecodable:
        return None  # nothing that our relay wrote
    if raw.value is None or event.request_id != name.request_id:
        return None
    told = Told(event.at, type(event), raw.value, headers["ce_seen"])
    traceparent = read_traceparent(headers.get("traceparent", b"").decode(errors="replace"))
    return LostEvent(name, told, raw, published_at, traceparent, event)


async def find_consumed(
    reader: LogReader,
    service: Service[Any],
    requests: set[UUID],
    positions: Mapping[Place, int],
    tell: Callable[[int, int], None],
) -> dict[UUID, dict[str, dict[int, Told]]]:
    """Return what others said of these requests from the positions on, by request, topic and sequence."""
    keys = {str(request_id).encode() for request_id in requests}
    sequenced = {topic.name for topic in service.sequenced}
    bounds = {
        place: (max(begin, positions.get(place, 0)), end)
        for place, (begin, end) in (await reader.find_bounds(existing_only=True)).items()
        if place[0] in sequenced
    }
    found: dict[UUID, dict[str, dict[int, Told]]] = {request_id: {} for request_id in requests}
    async for raw in reader.read(bounds if requests else {}, tell):
        if raw.key not in keys or raw.value is None:
            continue
        try:
            received = decode(raw.topic, dict(raw.headers), raw.value)
        except Undecodable:
            continue
        event: Any = received.event
        if received.sequence is not None and event.request_id in found:
            told = Told(event.at, type(event), raw.value)
            found[event.request_id].setdefault(raw.topic, {}).setdefault(received.sequence, told)
    return found
