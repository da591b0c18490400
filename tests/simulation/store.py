"""The shell's tables of one service in memory, under the same names and with the same outcomes as `shared.delivery.store.Store`.

`test_contract.py` puts both through one suite.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from shared.delivery.core import Core
from shared.delivery.store import Conflict, Place, Position
from shared.delivery.tables import counters
from shared.delivery.values import Folded, Known, Outgoing, Saved, Taken, Ticket, Waiting
from tests.simulation.connection import Connection, Locks, Troubles
from tests.simulation.parked import MemoryParked
from tests.simulation.rows import OwnRows
from tests.simulation.scheduler import instant

S = TypeVar("S")
SAMPLED = 64
"""Of so many states that are saved one is encoded and decoded, to see that it comes back."""


class Queued:
    """A row of the outbox."""

    __slots__ = ("created_at", "id", "outgoing", "published_at")

    def __init__(self, number: int, outgoing: Outgoing, created_at: int) -> None:
        self.id = number
        self.outgoing = outgoing
        self.created_at = created_at
        self.published_at: int | None = None


class Tables(Generic[S]):
    """What one service has committed, whatever processes come and go. `on_commit` hears of every batch that was committed."""

    def __init__(self, core: Core[S], parked: MemoryParked, rows: OwnRows, locks: Locks, now: Callable[[], int]) -> None:
        self.core = core
        self.name = core.service.name
        self.parked = parked
        self.rows = rows
        self.locks = locks
        self.now = now
        self.positions: dict[Place, int] = {}
        self.logs: dict[Place, UUID] = {}
        """The identity of the topic that each position is a place of, once it was noted."""
        self.requests: dict[UUID, Saved] = {}
        self.states: dict[UUID, tuple[bytes | None, S | None]] = {}
        self.outbox: list[Queued] = []
        self.pending: dict[int, Queued] = {}
        self.inbox: dict[tuple[str, str], tuple[bytes | None, UUID]] = {}
        self.halted: dict[str, str] = {}
        self.on_commit: Callable[[Folded[S], dict[Place, int]], None] = lambda _folded, _moved: None
        self.on_queued: Callable[[], None] = lambda: None
        """Hears that the outbox has something new: whoever committed it may have no time left to say so."""
        self._numbered = 0
        self._saved = 0
        self.round_trips = 0
        self.conflicts = 0

    def state(self, request_id: UUID) -> S | None:
        """Return a state as it was committed."""
        row = self.requests.get(request_id)
        return None if row is None else self.read(request_id, row.state)

    def read(self, request_id: UUID, encoded: bytes | None) -> S | None:
        """Return the state that these bytes of a request are."""
        if encoded is None:
            return None
        kept, state = self.states.get(request_id, (None, None))
        if kept is not encoded:
            state = self.core.codec.decode(encoded)
            self.states[request_id] = encoded, state
        return state

    def number(self) -> int:
        """Return the next id of the outbox: given when a row is written, not when it is committed."""
        self._numbered += 1
        return self._numbered

    def commit(self, folded: Folded[S], moved: dict[Place, int], queued: list[Queued]) -> None:
        """Make a batch durable."""
        requests = self.requests
        for one in folded.saved:
            if not one.authority and (before := requests.get(one.request_id)) is not None:
                one = one._replace(authority=before.authority)
            requests[one.request_id] = one
        self._remember(folded)
        self.positions.update(moved)
        for row in queued:
            row.created_at = self.now()
            self.outbox.append(row)
            self.pending[row.id] = row
        if queued:
            self.on_queued()
        for ticket, request_id in folded.tickets:
            self.inbox[ticket.source, ticket.id] = ticket.digest, request_id
        if folded.parked or folded.released or folded.relabelled:
            self.parked.keep(folded)
        for statement, rows in folded.rows.items():
            if statement.combine is not None and not (rows := statement.combine(rows)):
                continue
            self.rows.write(statement.name, rows)
        self.on_commit(folded, moved)

    def _remember(self, folded: Folded[S]) -> None:
        """Keep the states beside their bytes, where a result has the very state that was saved.

        Of a request with something parked it may not have: what waited is taken after the result.
        """
        if folded.released:
            return
        last = {one.request_id: one.state for one in folded.results if one.kind == "done"}
        for result in folded.results:
            if result.kind == "parked":
                last.pop(result.request_id, None)
        for one in folded.saved:
            state = last.get(one.request_id)
            if one.held or state is None:
                continue  # the fold may have gone on after the result: decoded when it is asked for
            self.states[one.request_id] = one.state, state
            self._saved += 1
            if self._saved % SAMPLED == 0:
                self.round_trips += 1
                assert self.core.codec.decode(one.state) == state, f"{self.name}: the state of {one.request_id} reads otherwise"

    def request_rows(self) -> list[dict[str, Any]]:
        """Return the table `request`, its columns by name."""
        seen, sent = counters(self.core.service)
        return [
            {
                "request_id": one.request_id,
                "authority": one.authority,
                "revision": one.revision,
                "held": one.held,
                "state": one.state,
                **dict(zip(seen, one.seen, strict=True)),
                **dict(zip(sent, one.sent, strict=True)),
            }
            for one in self.requests.values()
        ]

    def outbox_rows(self) -> list[dict[str, Any]]:
        """Return the table `outbox`, its columns by name."""
        return [
            {
                "id": row.id,
                **row.outgoing._asdict(),
                "created_at": instant(row.created_at),
                "published_at": None if row.published_at is None else instant(row.published_at),
            }
            for row in self.outbox
        ]


class MemoryStore(Generic[S]):
    """The store of one process. Several share the tables."""

    def __init__(self, tables: Tables[S], decode_parked: Callable[[Any, int], Waiting | None], troubles: Troubles) -> None:
        self.tables = tables
        self.parked = tables.parked
        self._decode_parked = decode_parked
        self._troubles = troubles

    async def lock_positions(
        self, connection: Connection, places: Sequence[Place], *, logs: Mapping[str, UUID]
    ) -> dict[Place, Position]:
        locks, positions, noted = self.tables.locks, self.tables.positions, self.tables.logs
        for place in sorted(places) if len(places) > 1 else places:
            if not locks.grab(connection, place):
                await locks.take(connection, place)
        if (wait := self._troubles.at("locked")) is not None:
            await connection.wait(wait)
        if fresh := {place: logs[place[0]] for place in places if place not in positions and place[0] in logs}:
            connection.writes.append(lambda: noted.update(fresh))
        return {
            place: Position(positions.get(place, 0), noted.get(place) if place in positions else logs.get(place[0]))
            for place in places
        }

    async def find_positions(self, _connection: Connection) -> dict[Place, int]:
        return dict(self.tables.positions)

    async def move(self, connection: Connection, place: Place, position: int, *, seen: int) -> bool:
        await self.tables.locks.take(connection, place)
        moved = self.tables.positions.get(place, 0) == seen
        if moved:
            self.tables.positions[place] = position
        connection.roll_back()
        return moved

    async def turn_back_replaced(self, connection: Connection, logs: Mapping[str, UUID]) -> dict[Place, int]:
        tables = self.tables
        noted = tables.logs
        others = sorted(place for place in tables.positions if place[0] in logs and noted.get(place) != logs[place[0]])
        try:
            for place in others:
                await tables.locks.take(connection, place)
            turned = {place: tables.positions[place] for place in others if place in noted}
            tables.positions.update(dict.fromkeys(turned, 0))
            noted.update({place: logs[place[0]] for place in others})
        finally:
            connection.roll_back()
        return {place: position for place, position in turned.items() if position > 0}

    async def has_pending(self, _connection: Connection) -> bool:
        return bool(self.tables.pending)

    async def save_halt(self, _connection: Connection, instance: str, why: str | None) -> None:
        if why is None:
            self.tables.halted.pop(instance, None)
        else:
            self.tables.halted[instance] = why

    async def load(self, connection: Connection, request_ids: Iterable[UUID], *, lock: bool = True) -> dict[UUID, Known[S]]:
        tables = self.tables
        requests, locks = tables.requests, tables.locks
        known: dict[UUID, Known[S]] = {}
        for request_id in sorted(request_ids):
            one = requests.get(request_id)
            if one is None:
                continue
            if lock and not locks.grab(connection, request_id):
                await locks.take(connection, request_id)
                one = requests[request_id]
            waiting = self._waiting(request_id) if one.held else []
            known[request_id] = Known(
                tables.read(request_id, one.state), one.revision, list(one.seen), list(one.sent), one.held, waiting
            )
        if (wait := self._troubles.at("loaded")) is not None:
            await connection.wait(wait)
        return known

    def _waiting(self, request_id: UUID) -> list[Waiting]:
        rows = sorted(self.parked.open_of.get(request_id, {}).values(), key=lambda row: (row["topic"], row["sequence"]))
        decoded = [self._decode_parked(row, row["id"]) for row in rows]
        return [waiting for waiting in decoded if waiting is not None]

    async def find_taken(self, _connection: Connection, tickets: Sequence[Ticket]) -> Taken:
        inbox = self.tables.inbox
        names = [(ticket.source, ticket.id) for ticket in tickets]
        return {name: inbox[name] for name in names if name in inbox}

    async def save(self, connection: Connection, folded: Folded[S], positions: dict[Place, int]) -> None:
        """Write all that a batch changes, to be committed. Raises Conflict."""
        tables = self.tables
        requests, grab, take = tables.requests, tables.locks.grab, tables.locks.take
        changed = 0
        for one in folded.saved:
            request_id = one.request_id
            if not grab(connection, request_id):
                await take(connection, request_id)
            before = requests.get(request_id)
            changed += (before.revision if before is not None else 0) != one.revision - 1
        if changed:
            tables.conflicts += 1
            raise Conflict(f"{changed} of {len(folded.saved)} requests were changed meanwhile")
        for ticket, _ in folded.tickets:
            if not grab(connection, ("inbox", ticket.source, ticket.id)):
                await take(connection, ("inbox", ticket.source, ticket.id))
            if (ticket.source, ticket.id) in tables.inbox:
                tables.conflicts += 1
                raise Conflict("a ticket was taken by another transaction meanwhile")
        outbox = folded.outbox + [self.parked.dead_letter(one) for one in folded.parked] if folded.parked else folded.outbox
        queued = [Queued(tables.number(), one, 0) for one in outbox]
        connection.parked = len(folded.parked)
        connection.writes.append(lambda: tables.commit(folded, positions, queued))
