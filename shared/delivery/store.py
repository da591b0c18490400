"""All SQL of the shell: what a batch locks and loads, and what it saves, in sets."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import asyncpg

from shared.db.pool import Connection as Connection
from shared.delivery.core import Core
from shared.delivery.parked_rows import ParkedRows
from shared.delivery.points import reach
from shared.delivery.service import Statement
from shared.delivery.tables import counters
from shared.delivery.values import Folded, Known, Outgoing, Saved, Taken, Ticket, Waiting

S = TypeVar("S")
Place = tuple[str, int]
"""A topic and a partition."""
_ARGUMENT = re.compile(r"\$(\d+)")
_COPY_FROM = 200
"""From how many rows on COPY is faster than one more array in the statement."""


class Position(NamedTuple):
    """The next offset of a partition, and the identity of the topic whose offset it is; None: not noted yet."""

    next_offset: int
    log: UUID | None = None

    def is_of_another(self, log: UUID | None) -> bool:
        """Tell whether records of the topic `log` (None: not known) are not those that this is a place among."""
        return self.log is not None and log is not None and self.log != log


class Conflict(Exception):
    """Another transaction changed one of the batch's requests first; run the batch again on what it left."""


class Store(Generic[S]):
    """The shell's tables of one service."""

    def __init__(
        self,
        core: Core[S],
        parked: ParkedRows,
        *,
        decode_parked: Callable[[asyncpg.Record, int], Waiting | None],
    ) -> None:
        self.parked = parked
        self._core = core
        self._name = core.service.name
        self._decode_parked = decode_parked
        seen, sent = counters(core.service)
        self._seen, self._sent = slice(4, 4 + len(seen)), slice(4 + len(seen), 4 + len(seen) + len(sent))
        self._load_sql = (
            f"SELECT request_id, revision, held, state{''.join(f', {name}' for name in [*seen, *sent])} "  # noqa: S608  # names from the declaration
            f"FROM {self._name}.request WHERE request_id = ANY($1::uuid[])"
        )
        self._columns = ["request_id", "authority", "revision", "held", "state", *seen, *sent]
        self._counts = [*seen, *sent]
        self._savings: dict[tuple[Statement, ...], str] = {}

    async def lock_positions(
        self, connection: Connection, places: Sequence[Place], *, logs: Mapping[str, UUID]
    ) -> dict[Place, Position]:
        """Lock the position rows of these partitions and return them.

        Where there is none it is made first, as a place of the log that is read (`logs`, by topic, as far as it is known).
        """
        topics, partitions = [topic for topic, _ in places], [partition for _, partition in places]
        sql = (
            f"SELECT topic, partition, next_offset, log FROM {self._name}.position "  # noqa: S608
            "WHERE (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::int[])) ORDER BY topic, partition FOR UPDATE"
        )
        rows = await connection.fetch(sql, topics, partitions)
        if len(rows) < len(places):  # without a row there is no lock, and a twin would take the same records
            await connection.execute(
                f"INSERT INTO {self._name}.position (topic, partition, next_offset, log) "  # noqa: S608
                "SELECT topic, partition, 0, log FROM unnest($1::text[], $2::int[], $3::uuid[]) AS told (topic, partition, log) "
                "ORDER BY topic, partition ON CONFLICT DO NOTHING",
                topics,
                partitions,
                [logs.get(topic) for topic in topics],
            )
            rows = await connection.fetch(sql, topics, partitions)
        return {(row[0], row[1]): Position(row[2], row[3]) for row in rows}

    async def find_positions(self, connection: Connection) -> dict[Place, int]:
        """Return the next offset of every partition that has one, without a lock."""
        rows = await connection.fetch(f"SELECT topic, partition, next_offset FROM {self._name}.position")  # noqa: S608
        return {(row[0], row[1]): row[2] for row in rows}

    async def move(self, connection: Connection, place: Place, position: int, *, seen: int) -> bool:
        """Set a position if it still is `seen` (0: or was never set); return whether it was."""
        if seen == 0:
            await connection.execute(f"INSERT INTO {self._name}.position VALUES ($1, $2, 0) ON CONFLICT DO NOTHING", *place)  # noqa: S608
        moved = await connection.fetchval(
            f"UPDATE {self._name}.position SET next_offset = $3 WHERE topic = $1 AND partition = $2 AND next_offset = $4 "  # noqa: S608
            "RETURNING 1",
            *place,
            position,
            seen,
        )
        return moved is not None

    async def turn_back_replaced(self, connection: Connection, logs: Mapping[str, UUID]) -> dict[Place, int]:
        """Note which log each topic's positions are places of; those of another one go back to 0. Return where these stood."""
        rows = await connection.fetch(
            f"""WITH before AS (
                    SELECT topic, partition, next_offset, p.log AS old, told.log AS new
                    FROM {self._name}.position AS p JOIN unnest($1::text[], $2::uuid[]) AS told (topic, log) USING (topic)
                    WHERE p.log IS DISTINCT FROM told.log ORDER BY topic, partition FOR UPDATE OF p)
                UPDATE {self._name}.position AS p SET log = new, next_offset = CASE WHEN old IS NULL THEN p.next_offset ELSE 0 END
                FROM before WHERE (p.topic, p.partition) = (before.topic, before.partition)
                RETURNING p.topic, p.partition, before.next_offset, old IS NOT NULL""",  # noqa: S608
            list(logs),
            list(logs.values()),
        )
        return {(row[0], row[1]): row[2] for row in rows if row[3] and row[2] > 0}

    async def has_pending(self, connection: Connection) -> bool:
        """Return whether the outbox holds something to publish."""
        return bool(await connection.fetchval(f"SELECT EXISTS (SELECT FROM {self._name}.outbox WHERE published_at IS NULL)"))  # noqa: S608

    async def save_halt(self, connection: Connection, instance: str, why: str | None) -> None:
        """Note that a replica's consumer halted itself, with the reason, or that it goes on."""
        if why is None:
            await connection.execute(f"DELETE FROM {self._name}.halt WHERE instance = $1", instance)  # noqa: S608
            return
        await connection.execute(
            f"INSERT INTO {self._name}.halt (instance, why) VALUES ($1, $2) "  # noqa: S608
            "ON CONFLICT (instance) DO UPDATE SET why = excluded.why, told_at = now()",
            instance,
            why,
        )

    async def load(self, connection: Connection, request_ids: Iterable[UUID], *, lock: bool = True) -> dict[UUID, Known[S]]:
        """Lock (in the order of their ids) and return what is known of these requests; those never seen are missing."""
        lock_sql = " ORDER BY request_id FOR UPDATE" if lock else ""
        rows = await connection.fetch(self._load_sql + lock_sql, list(request_ids))
        decode = self._core.codec.decode
        known = {row[0]: Known(decode(row[3]), row[1], list(row[self._seen]), list(row[self._sent]), row[2]) for row in rows}
        held = [request_id for request_id, one in known.items() if one.held]
        if held:
            for request_id, waiting in await self._waiting(connection, held):
                known[request_id].waiting.append(waiting)
        return known

    async def _waiting(self, connection: Connection, held: list[UUID]) -> list[tuple[UUID, Waiting]]:
        rows = await connection.fetch(
            f"SELECT * FROM {self._name}.parked WHERE resolved_at IS NULL AND sequence IS NOT NULL "  # noqa: S608
            "AND request_id = ANY($1::uuid[]) ORDER BY request_id, topic, sequence",
            held,
        )
        decoded = [(row["request_id"], self._decode_parked(row, row["id"])) for row in rows]
        return [(request_id, waiting) for request_id, waiting in decoded if waiting is not None]

    async def find_taken(self, connection: Connection, tickets: Sequence[Ticket]) -> Taken:
        """Return which of these tickets were taken before."""
        if not tickets:
            return {}
        rows = await connection.fetch(
            f"SELECT source, id, digest, request_id FROM {self._name}.inbox "  # noqa: S608
            "WHERE (source, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
            [ticket.source for ticket in tickets],
            [ticket.id for ticket in tickets],
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}

    async def save(self, connection: Connection, folded: Folded[S], positions: dict[Place, int]) -> None:
        """Write all that a batch changes.

        Raises:
            Conflict: a request was created or changed by another transaction meanwhile. Nothing may be committed.
        """
        copies = [self.parked.dead_letter(one) for one in folded.parked]
        saved, outbox = folded.saved, folded.outbox + copies
        if len(outbox) >= _COPY_FROM:
            await self._copy(connection, "outbox", outbox, Outgoing._fields)
            outbox = []
        if len(saved) >= _COPY_FROM and all(one.revision == 1 for one in saved):
            await self._copy_new(connection, saved)
            saved = []
        columns: list[list[Any]] = [
            [one.request_id for one in saved],
            [one.authority for one in saved],
            [one.revision for one in saved],
            [one.held for one in saved],
            [one.state for one in saved],
            *([one.seen[place] for one in saved] for place in range(self._seen.stop - self._seen.start)),
            *([one.sent[place] for one in saved] for place in range(self._sent.stop - self._sent.start)),
            *([one[place] for one in outbox] for place in range(len(Outgoing._fields))),
            [topic for topic, _ in positions],
            [partition for _, partition in positions],
            list(positions.values()),
        ]
        rows = _combined(folded.rows)
        along = tuple(statement for statement in rows if not statement.last)
        if saved or outbox or positions or along:
            for statement in along:
                columns += [list(column) for column in zip(*rows[statement], strict=True)]
            written = await connection.fetchval(self._saving(along), *columns)
            if written != len(saved):
                raise Conflict(f"{len(saved) - written} of {len(saved)} requests were changed meanwhile")
        reach("save.after_requests")
        await self._save_tickets(connection, folded)
        reach("save.after_tickets")
        await self.parked.save(connection, folded)
        reach("save.after_parked")
        for statement in rows:
            if statement.last:
                await connection.execute(statement.sql, *[list(column) for column in zip(*rows[statement], strict=True)])
        reach("save.after_rows")

    def _saving(self, along: tuple[Statement, ...]) -> str:
        """Return the one statement that writes requests, outbox, positions and the rows of these statements."""
        sql = self._savings.get(along)
        if sql is None:
            sql = self._savings[along] = _save_sql(self._name, self._counts, along)
        return sql

    async def _copy_new(self, connection: Connection, saved: Sequence[Saved]) -> None:
        """Write requests that nobody had seen. Raises Conflict when another transaction has created one of them."""
        rows = [(*one[:5], *one.seen, *one.sent) for one in saved]
        try:
            await self._copy(connection, "request", rows, self._columns)
        except asyncpg.UniqueViolationError:
            raise Conflict("a request was created by another transaction meanwhile") from None

    async def _copy(self, connection: Connection, table: str, rows: Sequence[tuple[Any, ...]], columns: Sequence[str]) -> None:
        """Write many rows at once: measured, less than half the time of the arrays of a statement."""
        await connection.copy_records_to_table(table, schema_name=self._name, records=rows, columns=columns)

    async def _save_tickets(self, connection: Connection, folded: Folded[S]) -> None:
        if not folded.tickets:
            return
        written = await connection.fetch(
            f"INSERT INTO {self._name}.inbox (source, id, digest, request_id) "  # noqa: S608
            "SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[]) ON CONFLICT DO NOTHING RETURNING 1",
            [ticket.source for ticket, _ in folded.tickets],
            [ticket.id for ticket, _ in folded.tickets],
            [ticket.digest for ticket, _ in folded.tickets],
            [request_id for _, request_id in folded.tickets],
        )
        if len(written) != len(folded.tickets):
            raise Conflict("a ticket was taken by another transaction meanwhile")


def _combined(rows: Mapping[Statement, list[tuple[Any, ...]]]) -> dict[Statement, list[tuple[Any, ...]]]:
    """Return what is left to write of each statement once its rows were brought together."""
    combined = {statement: many if statement.combine is None else statement.combine(many) for statement, many in rows.items()}
    return {statement: many for statement, many in combined.items() if many}


def _save_sql(schema: str, counts: list[str], along: tuple[Statement, ...]) -> str:
    """Return the statement that writes requests, outbox, positions, rows. A request of an unexpected revision is left out."""
    last = 5 + len(counts)
    arrays = "".join(f", ${place}::int[]" for place in range(6, last + 1))
    names = ["request_id", "authority", "revision", "held", "state", *counts]
    updates = ", ".join(f"{name} = excluded.{name}" for name in ["revision", "held", "state", *counts])
    updates += ", authority = CASE WHEN excluded.authority = '' THEN r.authority ELSE excluded.authority END"
    box, place = last + 1, last + 11
    written, first = "", place + 3
    for number, statement in enumerate(along):
        shift = first - 1
        sql = _ARGUMENT.sub(lambda found, shift=shift: f"${int(found[1]) + shift}", statement.sql)  # type: ignore[misc]
        written += f", along_{number} AS ({sql})"
        first += max(int(found) for found in _ARGUMENT.findall(statement.sql))
    return f"""
        WITH saved AS (
            INSERT INTO {schema}.request AS r ({", ".join(names)})
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bool[], $5::bytea[]{arrays})
            ON CONFLICT (request_id) DO UPDATE SET {updates} WHERE r.revision = excluded.revision - 1
            RETURNING 1
        ), queued AS (
            INSERT INTO {schema}.outbox (request_id, topic, key, sequence, type, at, traceparent, value, headers, seen)
            SELECT * FROM unnest(${box}::uuid[], ${box + 1}::text[], ${box + 2}::bytea[], ${box + 3}::int[], ${box + 4}::text[],
                                 ${box + 5}::timestamptz[], ${box + 6}::text[], ${box + 7}::bytea[], ${box + 8}::bytea[],
                                 ${box + 9}::text[])
        ), moved AS (
            INSERT INTO {schema}.position (topic, partition, next_offset)
            SELECT * FROM unnest(${place}::text[], ${place + 1}::int[], ${place + 2}::bigint[])
            ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset
        ){written}
        SELECT count(*) FROM saved"""  # noqa: S608  # names from the declaration, values as arguments
