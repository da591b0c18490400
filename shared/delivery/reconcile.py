"""Brings a database that was restored to an earlier time up to what the log says that the service did since.

The service's own events of the lost minutes are taken as they were told: nothing is decided again, nothing is published,
nothing is sent. What it had taken of others by then is folded with them, in the same order: each own event says it (`ce_seen`).
All else that others said is read again from the restored positions when the service starts, and decided anew.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.delivery.history import Told, in_order, read_seen
from shared.delivery.log_reader import LogReader
from shared.delivery.lost import Conflicting, Lost, LostEvent, find_consumed, find_lost
from shared.delivery.rebuild import CannotRebuild, Tell, claim
from shared.delivery.service import Statement
from shared.delivery.shell import Shell
from shared.delivery.store import Connection, Place
from shared.delivery.values import Folded, Input, Known, Resolution, Saved
from shared.events.envelope import Undecodable, decode

S = TypeVar("S")
SET = 500


class Moved(NamedTuple):
    """A partition of a topic that is open to others: its records up to `position` were taken in the lost minutes.

    `left` lie behind: if the service was killed, those of its last second may have been taken, too.
    """

    place: Place
    position: int
    left: int


@dataclass(slots=True)
class Reconciled:
    """What was done for one service."""

    events: int = 0
    requests: int = 0
    published: int = 0
    skipped: int = 0
    """Events of others that an operator had passed over in the lost minutes: they are in no log and no parked row."""
    since: datetime | None = None
    until: datetime | None = None
    moved: list[Moved] = field(default_factory=list)


class Reconciliation(Generic[S]):
    """Reconciles one service, on a connection with a transaction open. The service's processes must be stopped."""

    def __init__(self, shell: Shell[S], bootstrap: str, connection: Connection, tell: Tell) -> None:
        self._shell = shell
        self._service = shell.service
        self._name = shell.service.name
        self._bootstrap = bootstrap
        self._connection = connection
        self._tell = tell
        self.lost = Lost()

    async def find(self) -> None:
        """Keep the service away, and find what it told in the lost minutes.

        Raises:
            CannotRebuild: the service runs, or the log contradicts what waits to be published.
        """
        await claim(self._connection, self._name)
        try:
            async with LogReader(self._bootstrap, self._service.produces) as reader:
                self.lost = await find_lost(self._connection, reader, self._service, self._told("looked at"))
        except Conflicting as error:
            raise CannotRebuild(str(error)) from None

    async def adopt(self) -> Reconciled:
        """Take it over into states, tables and outbox. Nothing is committed here."""
        lost = self.lost
        done = Reconciled(len(lost.events), len(lost.requests), len(lost.published), since=lost.since, until=lost.until)
        by_request: dict[UUID, list[LostEvent]] = defaultdict(list)
        for one in lost.events.values():
            by_request[one.name.request_id].append(one)
        positions = await self._shell.store.find_positions(self._connection)
        async with LogReader(self._bootstrap, self._service.sequenced) as reader:
            tell = self._told("read of others")
            consumed = await find_consumed(reader, self._service, lost.requests, positions, tell)
        ids = sorted(by_request)
        for start in range(0, len(ids), SET):
            part = ids[start : start + SET]
            known = await self._shell.store.load(self._connection, part)
            batch: Folded[S] = Folded()
            for request_id in part:
                before = known.get(request_id) or self._shell.core.unknown()
                done.skipped += self._adopt(batch, request_id, before, by_request[request_id], consumed[request_id])
            await self._shell.store.save(self._connection, batch, {})
            self._told("requests adopted")(min(start + SET, len(ids)), len(ids))
        await self._archive()
        return done

    def _told(self, what: str) -> Any:  # Any: a function of how much is done and how much there is
        return lambda done, all_: self._tell(f"{self._name}: {what}", done, all_)

    def _adopt(
        self, batch: Folded[S], request_id: UUID, known: Known[S], events: list[LostEvent], consumed: dict[str, dict[int, Told]]
    ) -> int:
        """Fold what was taken and told of one request; return how many events of others had been passed over."""
        topics = self._service.sequenced
        seen, sent = list(known.seen), list(known.sent)
        own: list[dict[int, Told]] = [{} for _ in sent]
        outlets = [topic.name for topic in self._service.produces]
        for one in events:
            place = outlets.index(one.name.topic)
            own[place][one.name.sequence] = one.told
            sent[place] = max(sent[place], one.name.sequence)
            seen = list(map(max, seen, read_seen(one.told.seen or b"", len(seen))))
        for waiting in known.waiting:
            _add_waiting(consumed, waiting.topic, waiting.sequence, waiting.input)
        taken, missing = [], []
        for place, topic in enumerate(topics):
            due = range(known.seen[place] + 1, seen[place] + 1)
            there = consumed.get(topic.name, {})
            taken.append({sequence: there[sequence] for sequence in due if sequence in there})
            missing += [(topic.name, sequence) for sequence in due if sequence not in there]
        state = known.state
        for told in in_order(self._service, taken, own):
            state = self._service.evolve(state, told.event())
        self._keep(batch, request_id, known, state, seen, sent, events[0].event.authority)
        for name in missing:
            batch.rows.setdefault(self._skipped, []).append((request_id, *name))
        return len(missing)

    def _keep(
        self,
        batch: Folded[S],
        request_id: UUID,
        known: Known[S],
        state: S | None,
        seen: list[int],
        sent: list[int],
        authority: str,
    ) -> None:
        place = {topic.name: number for number, topic in enumerate(self._service.sequenced)}
        held = False
        for one in known.waiting:
            if one.sequence > seen[place[one.topic]]:
                held = True
            else:
                how: Resolution = "taken" if one.input.fault is None else "skipped"
                batch.released[one.id] = how
        encoded = self._shell.core.codec.encode(state)
        row = Saved(request_id, authority, known.revision + 1, held, encoded, tuple(seen), tuple(sent))
        batch.saved.append(row)
        for statement, values in self._service.project(request_id, known.state, state):
            batch.rows.setdefault(statement, []).append(values)

    @property
    def _skipped(self) -> Statement:
        """The note of an event that was passed over: a rebuild has to pass over it, too."""
        return Statement(
            "skipped",
            f'INSERT INTO {self._name}.parked (request_id, topic, partition, "offset", sequence, headers, hidden, why, detail, '  # noqa: S608
            "error_id, resolved_at, resolution) SELECT gone.request_id, gone.topic, -1, -1, gone.sequence, '[]', false, 'gap', "
            "'passed over before the database was restored', 'missing', now(), 'skipped' "
            "FROM unnest($1::uuid[], $2::text[], $3::int[]) AS gone (request_id, topic, sequence)",
        )

    async def _archive(self) -> None:
        """Keep the adopted events as published ones, and note which of ours were published."""
        rows = [
            (*name, one.raw.key, one.event.type_, one.told.at, one.traceparent, one.told.value, one.told.seen, one.published_at)
            for name, one in sorted(self.lost.events.items(), key=lambda entry: entry[0][1:])
        ]
        await self._connection.executemany(
            f"INSERT INTO {self._name}.outbox "  # noqa: S608
            "(request_id, topic, sequence, key, type, at, traceparent, value, seen, created_at, published_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, convert_from($9::bytea, 'UTF8'), $10, $10)",
            rows,
        )
        await self._connection.execute(
            f"UPDATE {self._name}.outbox SET published_at = now() WHERE published_at IS NULL "  # noqa: S608
            "AND (request_id, topic, sequence) IN (SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[]))",
            *[[name[place] for name in self.lost.published] for place in range(3)],
        )

    # --- topics that are open to others ------------------------------------------------------------------------------

    async def move_open(self) -> list[Moved]:
        """Go on where Kafka was told that we were, and remember the tickets of what lies before. Only after a restore."""
        positions = await self._shell.store.find_positions(self._connection)
        topics = tuple(topic for topic in self._service.consumes if not topic.sequenced)
        moved: list[Moved] = []
        if not topics:
            return moved
        async with LogReader(self._bootstrap, topics) as reader:
            bounds = await reader.find_bounds(existing_only=True)
            committed = await _committed(self._bootstrap, self._name, bounds)
            stretch = {
                place: (max(begin, positions.get(place, 0)), min(end, committed.get(place, 0)))
                for place, (begin, end) in bounds.items()
                if committed.get(place, 0) > positions.get(place, 0)
            }
            tickets: dict[tuple[str, str], None] = {}
            async for raw in reader.read(stretch, self._told("taken of open topics")):
                try:
                    received = decode(raw.topic, dict(raw.headers), raw.value)
                except Undecodable:
                    continue
                tickets[received.source, received.id] = None
        for place, (_, position) in stretch.items():
            moved.append(Moved(place, position, bounds[place][1] - position))
        await self._save_open(moved, tickets)
        return moved

    async def _save_open(self, moved: list[Moved], tickets: dict[tuple[str, str], None]) -> None:
        await self._connection.executemany(
            f"INSERT INTO {self._name}.position (topic, partition, next_offset) VALUES ($1, $2, $3) "  # noqa: S608
            "ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset",
            [(*one.place, one.position) for one in moved],
        )
        await self._connection.executemany(
            f"INSERT INTO {self._name}.inbox (source, id, request_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",  # noqa: S608
            [(*name, UUID(int=0)) for name in tickets],
        )


def _add_waiting(consumed: dict[str, dict[int, Told]], topic: str, sequence: int, one: Input) -> None:
    if one.fault is None and one.raw is not None and one.raw.value is not None:
        told = Told(one.event.at, type(one.event), one.raw.value)
        consumed.setdefault(topic, {}).setdefault(sequence, told)


async def _committed(bootstrap: str, group: str, places: dict[Place, Any]) -> dict[Place, int]:
    """Return where Kafka was last told that the group was; it is told about once a second."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        told = await admin.list_consumer_group_offsets(group, partitions=[TopicPartition(*place) for place in places])
    finally:
        await admin.close()
    return {(place.topic, place.partition): one.offset for place, one in told.items() if one.offset >= 0}
