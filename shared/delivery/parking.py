"""Parked records as an operator sees and settles them: list, show, replay, skip.

A replay runs the service's own shell, so that its outcome is the one that would have been: the record in its turn, then
what waited for it. It may be repeated, and may run beside the live service.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

import asyncpg

from shared.delivery.relay import end_leader
from shared.delivery.service import Statement
from shared.delivery.shell import Shell
from shared.delivery.tables import column
from shared.delivery.values import Input, Parked, RawRecord

S = TypeVar("S")
SET = 200
_LISTED = (
    'id, parked_at, topic, partition, "offset", request_id, sequence, why, detail, error_id, hidden, resolved_at, resolution'
)


class Listed(NamedTuple):
    """A parked record, without what it holds."""

    id: int
    parked_at: datetime
    topic: str
    partition: int
    offset: int
    request_id: UUID | None
    sequence: int | None
    why: str
    detail: str
    error_id: str
    hidden: bool
    resolved_at: datetime | None
    resolution: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which open parked records are meant. Each part that is given narrows the choice; nothing given means all."""

    ids: tuple[int, ...] = ()
    request_id: UUID | None = None
    why: str | None = None


@dataclass(slots=True)
class Settled:
    """What became of the chosen records. `left` are still parked, with the reason that holds now."""

    chosen: int = 0
    settled: int = 0
    left: list[Listed] = field(default_factory=list)


class OutOfTurn(Exception):
    """What is to be skipped does not stand first in the line of its request. The text says what does."""


class Parking(Generic[S]):
    """The parked records of one service."""

    def __init__(self, shell: Shell[S]) -> None:
        self._shell = shell
        self._table = f"{shell.service.name}.parked"
        self._sequenced = {topic.name for topic in shell.service.sequenced}

    async def list_open(self, choice: Choice, *, limit: int = 1000) -> list[Listed]:
        """Return open records in the order in which they are to be tried: a request's own in their sequence."""
        rows = await self._shell.pool.fetch(
            f"SELECT {_LISTED} FROM {self._table} WHERE resolved_at IS NULL "  # noqa: S608
            "AND ($1::bigint[] = '{}' OR id = ANY($1)) AND ($2::uuid IS NULL OR request_id = $2) "
            "AND ($3::text IS NULL OR why = $3) ORDER BY request_id NULLS LAST, sequence NULLS LAST, id LIMIT $4",
            list(choice.ids),
            choice.request_id,
            choice.why,
            limit,
        )
        return [Listed(*row) for row in rows]

    async def find(self, parked_id: int) -> tuple[Listed, RawRecord] | None:
        """Return a parked record, open or settled, with its original key, headers and value.

        Raises:
            RuntimeError: the value is encrypted and the service was built without the vault's keys.
        """
        row = await self._shell.pool.fetchrow(f"SELECT * FROM {self._table} WHERE id = $1", parked_id)  # noqa: S608
        if row is None:
            return None
        return Listed(*(row[name] for name in Listed._fields)), self._shell.reader.read_parked(row)

    async def replay(self, choice: Choice, tell: Callable[[int, int], None]) -> Settled:
        """Try the chosen records again. `tell(done, all)` hears of the progress. Raises Unavailable."""
        return await self._settle(choice, tell, skip=False)

    async def skip(self, choice: Choice, tell: Callable[[int, int], None]) -> Settled:
        """Pass over the chosen records for good: their events are not looked at, what waited for them is taken.

        A record whose predecessor is missing or parked stays; it is not its turn. Raises Unavailable.
        """
        return await self._settle(choice, tell, skip=True)

    async def _settle(self, choice: Choice, tell: Callable[[int, int], None], *, skip: bool) -> Settled:
        chosen = await self.list_open(choice, limit=1_000_000)
        done = 0
        for start in range(0, len(chosen), SET):
            part = [one.id for one in chosen[start : start + SET]]
            await self._settle_set(part, skip=skip)
            done += len(part)
            tell(done, len(chosen))
        still = set(await self._still_open([one.id for one in chosen]))
        left = [one for one in await self.list_open(choice, limit=1_000_000) if one.id in still] if still else []
        return Settled(len(chosen), len(chosen) - len(still), left)

    async def _settle_set(self, ids: Sequence[int], *, skip: bool) -> None:
        by_id = {row["id"]: row for row in await self._find_open(ids)}
        inputs: list[Input] = []
        for parked_id in ids:
            if parked_id not in by_id:
                continue  # taken meanwhile, with an earlier one
            row = by_id[parked_id]
            if skip and row["sequence"] is None:
                await self._resolve(parked_id, "skipped")
                continue
            read = self._shell.reader.read(self._shell.reader.read_parked(row))
            if isinstance(read, Parked):
                await self._relabel(parked_id, read)
            else:
                inputs.append(read._replace(parked_id=parked_id, skip=skip))
        if inputs:
            await self._shell.run(inputs, lane="replay")

    async def _find_open(self, ids: Sequence[int]) -> list[asyncpg.Record]:
        return await self._shell.pool.fetch(
            f"SELECT * FROM {self._table} WHERE id = ANY($1::bigint[]) AND resolved_at IS NULL",  # noqa: S608
            list(ids),
        )

    async def _still_open(self, ids: Sequence[int]) -> list[int]:
        rows = await self._shell.pool.fetch(
            f"SELECT id FROM {self._table} WHERE id = ANY($1::bigint[]) AND resolved_at IS NULL",  # noqa: S608
            list(ids),
        )
        return [row["id"] for row in rows]

    async def _resolve(self, parked_id: int, resolution: str) -> None:
        await self._shell.pool.execute(
            f"UPDATE {self._table} SET resolved_at = now(), resolution = $2 WHERE id = $1 AND resolved_at IS NULL",  # noqa: S608
            parked_id,
            resolution,
        )

    async def _relabel(self, parked_id: int, read: Parked) -> None:
        await self._shell.pool.execute(
            f"UPDATE {self._table} SET why = $2, detail = $3 WHERE id = $1 AND resolved_at IS NULL",  # noqa: S608
            parked_id,
            read.why,
            read.detail.replace("\0", "")[:2000],
        )

    async def skip_missing(self, request_id: UUID, topic: str) -> int:
        """Give up an event that never came: count it as seen, take what waited for it, and note it down as skipped.

        Returns its sequence. Raises OutOfTurn when nothing is missing there, Unavailable.
        """
        if topic not in self._sequenced:
            raise OutOfTurn(f"{topic} is not a numbered topic of this service; allowed: {', '.join(sorted(self._sequenced))}")
        seen = await self._shell.pool.fetchval(
            f"SELECT seen_{column(topic)} FROM {self._shell.service.name}.request WHERE request_id = $1",  # noqa: S608
            request_id,
        )
        mine = [one for one in await self.list_open(Choice(request_id=request_id)) if one.topic == topic]
        if seen is None or not mine:
            raise OutOfTurn("no event of this request and topic is parked: nothing waits for one that is missing")
        sequence = int(seen) + 1
        if mine[0].sequence == sequence:
            raise OutOfTurn(f"event {sequence} is not missing but parked (id {mine[0].id}): replay it, or skip that id")
        note = Statement(
            "missing",
            f'INSERT INTO {self._table} (request_id, topic, partition, "offset", sequence, headers, hidden, why, detail, '  # noqa: S608
            "error_id, resolved_at, resolution) SELECT gone.request_id, gone.topic, -1, -1, gone.sequence, '[]', false, 'gap', "
            "'it never came', 'missing', now(), 'skipped' "
            "FROM unnest($1::uuid[], $2::text[], $3::int[]) AS gone (request_id, topic, sequence)",
        )
        rows = ((note, (request_id, topic, sequence)),)
        one = Input(request_id, "", None, True, topic, sequence, rows=rows, skip=True)
        (result,) = await self._shell.run([one], lane="replay")
        if result.kind != "done":
            raise OutOfTurn("the request changed meanwhile: look again")
        return sequence


async def republish(pool: asyncpg.Pool, service: str, *, days: int, request_id: UUID | None) -> int:
    """Have the relay publish archived events of the last days again; readers drop what they know. Return how many.

    What the relay has sent to a log that was lost since, and not marked, is published again, too: its session is ended first, so
    that it never marks it, however long it stood still. Raises Unavailable: that session did not end.
    """
    async with pool.acquire() as connection:
        await end_leader(connection, service)
        status: str = await connection.execute(
            f"UPDATE {service}.outbox SET published_at = NULL WHERE published_at IS NOT NULL AND sequence IS NOT NULL "  # noqa: S608
            "AND created_at > now() - make_interval(days => $1) AND ($2::uuid IS NULL OR request_id = $2)",
            days,
            request_id,
        )
    return int(status.split()[-1])


async def rewind(pool: asyncpg.Pool, service: str) -> int:
    """Have the service read its topics from their beginning; it drops what it knows. Return how many positions moved."""
    status: str = await pool.execute(f"UPDATE {service}.position SET next_offset = 0 WHERE next_offset > 0")  # noqa: S608
    return int(status.split()[-1])
