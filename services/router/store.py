"""All SQL of the router besides the shell's: who owns what."""

from collections.abc import Iterable
from uuid import UUID

import asyncpg

from services.router.domain.life import Life
from shared.delivery.errors import UNAVAILABLE, Unavailable
from shared.delivery.service import Row, Statement
from shared.vault.keys import find_keys
from shared.vault.seal import RequestKey, Vault

SAVE_ASSIGNMENT = Statement(
    "assignment",
    """INSERT INTO router.assignment (request_id, authority, reference, service, status, reason, version, due_at, changed_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[],
                            $8::timestamptz[], $9::timestamptz[])
       ON CONFLICT (request_id) DO UPDATE SET service = excluded.service, status = excluded.status,
           reason = excluded.reason, version = excluded.version, changed_at = excluded.changed_at""",
)


def project(request_id: UUID, _before: Life | None, after: Life | None) -> Iterable[Row]:
    """Return the row that says who owns the request: a service while it is open, nobody once it is closed."""
    if after is None or not after.history:
        return
    told = (after.authority, after.reference, after.owner, after.status, after.reason, after.version)
    yield SAVE_ASSIGNMENT, (request_id, *told, after.due_at, after.history[-1].at)


async def find_key(pool: asyncpg.Pool, vault: Vault, request_id: UUID) -> RequestKey | None:
    """Return the key of a request; None when it was destroyed.

    Raises:
        Unavailable: PostgreSQL did not answer.
    """
    try:
        keys = await find_keys(pool, vault, [request_id])
    except UNAVAILABLE as error:
        raise Unavailable("PostgreSQL does not answer; try again in a moment") from error
    return keys.get(request_id)
