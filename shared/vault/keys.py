"""The table `vault.request_key`, as the services see it. What a role may do with it is in shared/db/roles.py."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from shared.vault.seal import RequestKey, Vault

INSERT_KEYS = (
    "INSERT INTO vault.request_key (request_id, authority, wrapped) SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[])"
)
DELETE_KEYS = "DELETE FROM vault.request_key WHERE request_id = ANY($1::uuid[])"


async def find_keys(connection: Any, vault: Vault, request_ids: Iterable[UUID]) -> dict[UUID, RequestKey]:
    """Return the keys of the requests that still have one; "key gone" (erased) is an id that is missing.

    `connection` is an asyncpg connection or pool.
    """
    rows = await connection.fetch(
        "SELECT request_id, wrapped FROM vault.request_key WHERE request_id = ANY($1::uuid[])", list(request_ids)
    )
    return {row["request_id"]: vault.unwrap(row["request_id"], row["wrapped"]) for row in rows}
