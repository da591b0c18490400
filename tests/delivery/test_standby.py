"""A replica whose relay does not lead: what it said of an outage, or when it led, ends with it."""

import asyncio
from types import SimpleNamespace
from typing import Any

from shared import metrics
from shared.delivery.relay import Relay


async def test_who_stands_by_does_not_go_on_telling_of_an_outage_that_is_over() -> None:
    async def taken(_statement: str, _lock: str) -> bool:
        return False

    postgres: Any = SimpleNamespace(fetchval=taken)
    relay = Relay("router", dsn="", pool=SimpleNamespace(), producer=SimpleNamespace())  # type: ignore[arg-type]  # it asks neither
    relay._note("ConnectionRefusedError")
    metrics.OUTBOX_OLDEST.labels("router").set(12.0)

    standing_by = asyncio.create_task(relay._serve_with(postgres))
    await asyncio.sleep(0.05)
    assert not standing_by.done()
    assert relay.last_error is None
    assert metrics.RELAY_FAILING.labels("router")._value.get() == 0
    assert metrics.OUTBOX_OLDEST.labels("router")._value.get() == 0
    standing_by.cancel()
