"""What the observer sees of a process that stands still."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.chaos import observer
from tests.chaos.observer import Observer


async def test_who_stands_still_is_asked_again_each_second_and_for_everything_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr(observer, "EVERY_SECONDS", 0.1)
    monkeypatch.setattr(observer, "_ANSWER_SECONDS", 0.4)
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        town: Any = SimpleNamespace(own_url=lambda _: f"http://127.0.0.1:{port}", names=lambda: ("stats",))
        watching = Observer(town)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watching.serve(), 1.0)
        assert len(watching.samples) >= 3, "within 1 s those of the first 0.6"
        assert {(one.live, one.ready) for one in watching.samples} == {(None, None)}
