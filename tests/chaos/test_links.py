"""A fault of a link met nobody where nothing was sent through it, and no connection stood."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.local import ports
from tests.chaos.faults import ASKED, KINDS
from tests.chaos.proxy import Proxy
from tests.chaos.stage import Fault, Stage

_LINK = "kafka.router"


@pytest.fixture
async def proxy() -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy, and the port of its one link, to somebody who takes all and says nothing."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except OSError:
            pass
        finally:
            writer.close()

    target = ports.free_port()
    async with await asyncio.start_server(take, "127.0.0.1", target):
        with Proxy() as proxy:
            yield proxy, proxy.open(_LINK, target)


async def _unfelt(proxy: tuple[Proxy, int], kind: str, *, word: bytes | None) -> set[Fault]:
    """Break the link for a moment, and return what was noted. `word`: what is sent meanwhile; None: nobody has connected."""
    town: Any = SimpleNamespace(links=lambda link: [link])
    stage = Stage(SimpleNamespace(proxy=proxy[0], town=town), load=SimpleNamespace())  # type: ignore[arg-type]  # what links need
    if word is not None:
        _, writer = await asyncio.open_connection("127.0.0.1", proxy[1])
        while proxy[0].connections < 2:
            await asyncio.sleep(0.01)
    breaking = asyncio.ensure_future(KINDS[kind].make(stage, Fault(0, kind, _LINK, 0.2, 0.01)))
    await asyncio.sleep(0.05)
    if word:
        writer.write(word)
    await breaking
    return stage.unfelt


@pytest.mark.parametrize(
    ("kind", "word", "met"),
    [
        ("cut", b"", False),
        ("cut", b"hold", True),
        ("cut_up", b"hold", True),
        ("cut_down", b"this way is open", False),
        ("half_open", b"", True),
        ("half_open", None, False),
        ("reset", b"", True),
        ("reset", None, False),
        ("latency", b"", False),
        ("latency", b"slow", True),
    ],
)
async def test_who_was_met_is_known(proxy: tuple[Proxy, int], kind: str, word: bytes | None, met: bool) -> None:
    assert kind in ASKED
    assert bool(await _unfelt(proxy, kind, word=word)) != met


async def test_of_who_is_refused_nothing_is_known(proxy: tuple[Proxy, int]) -> None:
    assert "refuse" not in ASKED
    assert await _unfelt(proxy, "refuse", word=None) == set()
