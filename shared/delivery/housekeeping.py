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
    """Delete, every hour and for ever, published outbox rows past their archive and tickets past their memory."""
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        try:
            count = await relay.prune()
            await shell.pool.execute(
                f"DELETE FROM {shell.service.name}.inbox WHERE taken_at < now() - interval '{INBOX_DAYS} days'"  # noqa: S608
            )
        except UNAVAILABLE as error:
            shell.log.warning("housekeeping.postponed", error=type(error).__name__)
        else:
            shell.log.info("housekeeping.done", count=count)
