"""All SQL of intake besides the shell's: how a request is found again, and its key."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from services.intake.domain.request import TrackedRequest
from services.intake.tokens import looks_like_token, token_digest
from shared.db.pool import Connection
from shared.delivery.errors import UNAVAILABLE, Unavailable
from shared.delivery.service import Row, Statement
from shared.events.requests import RequestErased, RequestReceived
from shared.vault import keys
from shared.vault.seal import RequestKey, Vault

INSERT_KEY: Final = Statement("insert keys", keys.INSERT_KEYS)
DELETE_KEY: Final = Statement("delete keys", keys.DELETE_KEYS)
SAVE_TRACKING: Final = Statement(
    "tracking",
    """INSERT INTO intake.tracking (request_id, authority, reference, token_digest, status, received_at, closed_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
       ON CONFLICT (request_id) DO UPDATE SET status = excluded.status, closed_at = excluded.closed_at""",
)


def project(request_id: UUID, before: TrackedRequest | None, after: TrackedRequest | None) -> Iterable[Row]:
    """Return the row by which a request is found, when it is new or its status, or how long it is to be kept, changed."""
    if after is None or after.received_at is None:
        return
    changed = before is None or (before.status, before.closed_at) != (after.status, after.closed_at)
    if changed or before is None or before.received_at is None:
        found_by = (after.authority, after.reference, after.token_digest)
        yield SAVE_TRACKING, (request_id, *found_by, after.status, after.received_at, after.closed_at)


async def find_by_token(pool: asyncpg.Pool, token: str) -> UUID | None:
    """Return the request that a tracking token opens. Raises Unavailable."""
    if not looks_like_token(token):
        return None
    return await _find(pool, "SELECT request_id FROM intake.tracking WHERE token_digest = $1", token_digest(token))


async def find_by_reference(pool: asyncpg.Pool, authority: str, reference: str) -> UUID | None:
    """Return the request of this reference, as it is shown. Raises Unavailable."""
    sql = "SELECT request_id FROM intake.tracking WHERE authority = $1 AND reference = $2"
    return await _find(pool, sql, authority, reference)


class Closed(NamedTuple):
    """A request that has been closed since an instant."""

    request_id: UUID
    closed_at: datetime


async def find_closed(
    pool: asyncpg.Pool, authority: str, *, now: datetime, months: int, after: Closed, limit: int
) -> list[Closed]:
    """Return requests that have been closed for so many calendar months, the oldest behind `after` first. Raises Unavailable."""
    sql = """SELECT request_id, closed_at FROM intake.tracking
        WHERE authority = $1 AND closed_at <= $2::timestamptz - make_interval(months => $3) AND (closed_at, request_id) > ($4, $5)
        ORDER BY closed_at, request_id LIMIT $6"""
    try:
        rows = await pool.fetch(sql, authority, now, months, after.closed_at, after.request_id, limit)
    except UNAVAILABLE as error:
        raise Unavailable("PostgreSQL does not answer; try again in a moment") from error
    return [Closed(*row) for row in rows]


async def find_key(pool: asyncpg.Pool, vault: Vault, request_id: UUID) -> RequestKey | None:
    """Return the key of a request; None when it was destroyed. Raises Unavailable."""
    try:
        return (await keys.find_keys(pool, vault, [request_id])).get(request_id)
    except UNAVAILABLE as error:
        raise Unavailable("PostgreSQL does not answer; try again in a moment") from error


async def find_without_key(connection: Connection) -> list[RequestReceived]:
    """Return the requests of the archive that have no key although nobody erased them, the oldest first."""
    rows = await connection.fetch(
        """SELECT value FROM intake.outbox AS told WHERE type = $1
           AND NOT EXISTS (SELECT FROM vault.request_key AS kept WHERE kept.request_id = told.request_id)
           AND NOT EXISTS (SELECT FROM intake.outbox AS erased WHERE erased.request_id = told.request_id AND erased.type = $2)
           ORDER BY id""",
        RequestReceived.type_,
        RequestErased.type_,
    )
    return [RequestReceived.model_validate_json(row[0]) for row in rows]


async def save_keys(connection: Connection, rows: Sequence[tuple[UUID, str, bytes]]) -> None:
    """Keep wrapped keys: request, authority, key."""
    if rows:
        await connection.execute(INSERT_KEY.sql, *[list(column) for column in zip(*rows, strict=True)])


async def _find(pool: asyncpg.Pool, sql: str, *arguments: Any) -> UUID | None:  # Any: what asyncpg takes
    try:
        found: UUID | None = await pool.fetchval(sql, *arguments)
    except UNAVAILABLE as error:
        raise Unavailable("PostgreSQL does not answer; try again in a moment") from error
    return found
