"""What the observer sees of a process that stands still."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import httpx

from tests.chaos.observer import Observer


async def test_who_stands_still_is_asked_for_everything_within_one_time_out() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        town: Any = SimpleNamespace(url=lambda _: f"http://127.0.0.1:{port}")
        began = time.monotonic()
        async with httpx.AsyncClient(trust_env=False, timeout=0.4) as http:
            sample = await Observer(town)._look(http, "stats")
        assert time.monotonic() - began < 1.0
        assert (sample.live, sample.ready, sample.counted) == (None, None, {})
