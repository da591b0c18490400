"""Makes the states of a service anew from the log, to compare them with the live ones or to put them in their place.

Only what the service had taken is folded: up to its positions, with what operators skipped left out. So a rebuild decides
nothing, publishes nothing, sends nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from shared.delivery.history import Folded, Histories, Limits
from shared.delivery.log_reader import LogReader
from shared.delivery.shell import Shell
from shared.delivery.store import Connection, Place
from shared.delivery.tables import counters
from shared.delivery.values import Folded as Batch
from shared.delivery.values import Saved
from shared.events.envelope import Undecodable, decode

S = TypeVar("S")
SET = 2000
Tell = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is done, and how much there is."""


class CannotRebuild(Exception):
    """Why the states may not be replaced now, with what to do."""


async def claim(connection: Connection, service: str) -> None:
    """Keep a service away until the end of the connection's transaction. Raises CannotRebuild: it runs."""
    if not await connection.fetchval("SELECT pg_try_advisory_xact_lock(hashtext($1))", f"aiguilleur relay {service}"):
        raise CannotRebuild(f"{service} is running: stop all its replicas first")
    await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # reading the log takes its time
    await connection.execute(f"LOCK TABLE {service}.request, {service}.position, {service}.outbox IN EXCLUSIVE MODE")


class Live(NamedTuple):
    """A request as the service holds it."""

    authority: str
    revision: int
    held: bool
    state: bytes | None
    seen: tuple[int, ...]
    sent: tuple[int, ...]


class Difference(NamedTuple):
    """A request whose live row is not what the log says; `parts` of state, seen, sent."""

    request_id: UUID
    parts: tuple[str, ...]


@dataclass(slots=True)
class Outcome:
    """What a rebuild found. `kept`: requests whose history the log no longer has; their rows stay as they are."""

    requests: int = 0
    equal: int = 0
    kept: int = 0
    differences: list[Difference] = field(default_factory=list)


@dataclass(slots=True)
class _Snapshot:
    live: dict[UUID, Live]
    positions: dict[Place, int]
    limits: Limits
    pending: int


class Rebuild(Generic[S]):
    """Rebuilds one service."""

    def __init__(self, shell: Shell[S], bootstrap: str, tell: Tell) -> None:
        self._shell = shell
        self._service = shell.service
        self._name = shell.service.name
        self._bootstrap = bootstrap
        self._tell = tell
        self._seen, self._sent = counters(shell.service)
        self._cut = False

    async def check(self) -> Outcome:
        """Compare the live states with those of the log. The service may run meanwhile."""
        histories = Histories(self._service)
        async with self._log_reader() as reader, self._shell.pool.acquire() as connection:
            began = await connection.fetchval("SELECT now()")
            own = await reader.find_bounds()
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                snapshot = await self._look(connection)
                await self._add_outbox(connection, histories, since=began)
            await self._read_log(reader, own, histories, snapshot)
        return self._compare(histories, snapshot)[0]

    async def write(self) -> Outcome:
        """Put the states of the log in the place of the live ones, and the service's own tables after them, all or nothing.

        Raises:
            CannotRebuild: the service is running, or has events to publish.
        """
        histories = Histories(self._service)
        async with self._log_reader() as reader, self._shell.pool.acquire() as connection, connection.transaction():
            await claim(connection, self._name)
            snapshot = await self._look(connection)
            if snapshot.pending:
                raise CannotRebuild(f"{snapshot.pending} events are not published yet: start {self._name}, wait, stop it again")
            await self._read_log(reader, await reader.find_bounds(), histories, snapshot)
            outcome, rows = self._compare(histories, snapshot)
            await self._replace(connection, rows, snapshot)
        return outcome

    def _log_reader(self) -> LogReader:
        return LogReader(self._bootstrap, (*self._service.sequenced, *self._service.produces))

    async def _look(self, connection: Connection) -> _Snapshot:
        name = self._name
        counts = ", ".join(["authority", "revision", "held", "state", *self._seen, *self._sent])
        cut = 5 + len(self._seen)
        rows = await connection.fetch(f"SELECT request_id, {counts} FROM {name}.request", timeout=600)  # noqa: S608
        live = {row[0]: Live(row[1], row[2], row[3], row[4], tuple(row[5:cut]), tuple(row[cut:])) for row in rows}
        positions = await connection.fetch(f"SELECT topic, partition, next_offset FROM {name}.position")  # noqa: S608
        parked = await connection.fetch(
            f"SELECT request_id, topic, sequence, resolved_at IS NULL AS open FROM {name}.parked "  # noqa: S608
            "WHERE request_id IS NOT NULL AND sequence IS NOT NULL AND (resolved_at IS NULL OR resolution = 'skipped')"
        )
        limits = Limits(
            skipped={(row[0], row[1], row[2]) for row in parked if not row["open"]},
            parked={(row[0], row[1], row[2]) for row in parked if row["open"]},
        )
        pending = await connection.fetchval(f"SELECT count(*) FROM {name}.outbox WHERE published_at IS NULL")  # noqa: S608
        return _Snapshot(live, {(row[0], row[1]): row[2] for row in positions}, limits, pending)

    async def _add_outbox(self, connection: Connection, histories: Histories[S], *, since: datetime) -> None:
        """Take what is committed and was not in the log yet, a minute before `since` or later, from the outbox."""
        rows = await connection.fetch(
            f"SELECT request_id, topic, sequence, type, value, seen FROM {self._name}.outbox "  # noqa: S608
            "WHERE (published_at IS NULL OR published_at > $1::timestamptz - interval '1 minute') AND sequence IS NOT NULL",
            since,
        )
        for row in rows:
            headers = {
                "ce_specversion": b"1.0",
                "ce_type": row["type"].encode(),
                "ce_source": b"outbox",
                "ce_id": str(row["request_id"]).encode(),
                "ce_sequence": str(row["sequence"]).encode(),
            }
            seen = None if row["seen"] is None else row["seen"].encode()
            histories.add(row["topic"], decode(row["topic"], headers, row["value"]), row["value"], seen)

    async def _read_log(
        self, reader: LogReader, own: Mapping[Place, tuple[int, int]], histories: Histories[S], snapshot: _Snapshot
    ) -> None:
        """Read the service's own events up to the bounds `own`, and what it consumed up to its positions."""
        mine = {topic.name for topic in self._service.produces}
        bounds = await reader.find_bounds()
        self._cut = any(begin > 0 for begin, _ in bounds.values())
        taken = {place: bound for place, bound in own.items() if place[0] in mine}
        for place, (begin, end) in bounds.items():
            if place[0] not in mine:
                taken[place] = (begin, min(end, snapshot.positions.setdefault(place, end)))
        async for raw in reader.read(taken, lambda done, all_: self._tell("events read", done, all_)):
            try:
                headers = dict(raw.headers)
                received = decode(raw.topic, headers, raw.value)
                if raw.value is not None:
                    histories.add(raw.topic, received, raw.value, headers.get("ce_seen"))
            except Undecodable:
                continue  # no event: the live service has it parked

    def _compare(self, histories: Histories[S], snapshot: _Snapshot) -> tuple[Outcome, dict[UUID, Live]]:
        """Return what differs, and the rows as they should be."""
        outcome, rows = Outcome(), {}
        ids = snapshot.live.keys() | set(histories)
        for done, request_id in enumerate(ids, 1):
            live = snapshot.live.get(request_id)
            folded = histories.fold(request_id, snapshot.limits)
            rows[request_id] = self._judge(outcome, request_id, live, folded, held=live.held if live else False)
            if done % SET == 0 or done == len(ids):
                self._tell("requests folded", done, len(ids))
        outcome.requests = len(ids)
        return outcome, rows

    def _judge(self, outcome: Outcome, request_id: UUID, live: Live | None, folded: Folded, *, held: bool) -> Live:
        unknown = live or Live("", 0, False, None, (0,) * len(self._seen), (0,) * len(self._sent))
        parts = tuple(name for name in ("state", "seen", "sent") if getattr(unknown, name) != getattr(folded, name))
        lost = folded.cut or any(a < b for a, b in zip(folded.seen, unknown.seen, strict=True))
        if live is not None and lost and self._cut:
            outcome.kept += 1
            return live
        if parts:
            outcome.differences.append(Difference(request_id, parts))
        else:
            outcome.equal += 1
        return Live(folded.authority or unknown.authority, unknown.revision, held, folded.state, folded.seen, folded.sent)

    async def _replace(self, connection: Connection, rows: dict[UUID, Live], snapshot: _Snapshot) -> None:
        for table in (*self._service.tables, "request"):
            await connection.execute(f"DELETE FROM {self._name}.{table}", timeout=600)  # noqa: S608
        decode_state = self._shell.core.codec.decode
        ids = list(rows)
        for start in range(0, len(ids), SET):
            batch: Batch[Any] = Batch()
            for request_id in ids[start : start + SET]:
                row = rows[request_id]
                batch.saved.append(Saved(request_id, row.authority, row.revision + 1, row.held, row.state, row.seen, row.sent))
                for statement, values in self._service.project(request_id, None, decode_state(row.state)):
                    batch.rows.setdefault(statement, []).append(values)
            await self._shell.store.save(connection, batch, {})
            self._tell("requests written", min(start + SET, len(ids)), len(ids))
        if begun := {place: at for place, at in snapshot.positions.items() if at > 0}:
            await self._shell.store.save(connection, Batch(), begun)
