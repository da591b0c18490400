"""Requests whose content nobody can read any more although they were not erased, and how escrow gives their keys back."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from services.intake.store import find_without_key, save_keys
from shared.db.pool import Connection
from shared.vault.escrow import EscrowKey
from shared.vault.seal import RequestKey, Unreadable, Vault


class Missing(NamedTuple):
    """A request of the last 14 days whose key is gone, and not because somebody erased it."""

    request_id: UUID
    authority: str
    reference: str
    escrow: str | None


async def find_missing_keys(connection: Connection) -> list[Missing]:
    """Return the requests of the archive whose keys were lost with a database, the oldest first."""
    told = await find_without_key(connection)
    return [Missing(one.request_id, one.authority, one.reference, one.escrow) for one in told]


async def restore_keys(
    connection: Connection, vault: Vault, missing: Sequence[Missing], keys: Sequence[EscrowKey]
) -> list[Missing]:
    """Give back the keys that are in escrow under one of `keys`; return the requests that stay without."""
    found: list[tuple[Missing, RequestKey]] = []
    left: list[Missing] = []
    for one in missing:
        key = _open(one, keys)
        if key is None:
            left.append(one)
        else:
            found.append((one, key))
    rows = [(one.request_id, one.authority, vault.wrap(one.request_id, key)) for one, key in found]
    await save_keys(connection, rows)
    return left


async def make_new_keys(connection: Connection, vault: Vault, missing: Sequence[Missing]) -> None:
    """Give these requests new keys: what was sealed stays lost, what is written from now on can be read."""
    await save_keys(connection, [(one.request_id, one.authority, vault.new_key(one.request_id)[1]) for one in missing])


def _open(one: Missing, keys: Sequence[EscrowKey]) -> RequestKey | None:
    for key in keys if one.escrow is not None else ():
        try:
            return key.unwrap(one.request_id, one.escrow or "")
        except Unreadable:
            continue
    return None
