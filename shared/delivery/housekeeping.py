"""What a running service tidies in its own schema, now and then."""

import asyncio
from typing import Any

from shared.delivery.errors import UNAVAILABLE
from shared.delivery.relay import Relay
from shared.delivery.shell import Shell

EVERY_SECONDS = 3600.0
INBOX_DAYS = 30
"""How long a ticket (an Idempotency-Key, a CloudEvents id, a used link) is remembered."""


async def keep_house(shell: Shell[Any], relay: Relay) -> None:
    """Tidy every hour, for ever."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            count = await tidy(shell, relay)
        except UNAVAILABLE as error:
            shell.log.warning("housekeeping.postponed", error=type(error).__name__)
        else:
            shell.log.info("housekeeping.done", count=count)


async def tidy(shell: Shell[Any], relay: Relay) -> int:
    """Delete what is kept long enough; return how many outbox rows went. Raises UNAVAILABLE.

    Published outbox rows past their archive (14 days), tickets past their memory (30), settled parked records (14), and
    parked records of adapters, which hold personal data, after 7 days, settled or not.
    """
    count = await relay.prune()
    async with shell.pool.acquire() as connection:
        await connection.execute(
            f"DELETE FROM {shell.service.name}.inbox WHERE taken_at < now() - interval '{INBOX_DAYS} days'"  # noqa: S608
        )
        pruned = await shell.store.parked.prune(connection)
    if pruned.unsettled:
        error_id = f"{shell.service.name}.housekeeping"
        why = "personal data that nobody settled within 7 days"
        shell.log.error("housekeeping.unsettled_deleted", count=pruned.unsettled, why=why, error_id=error_id)
    return count
