"""The proxy does to bytes what it says."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from deploy.local import ports
from tests.chaos.proxy import FAIR, Proxy, Weather

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def link() -> AsyncIterator[tuple[Proxy, int]]:
    target = ports.free_port()
    server = await asyncio.start_server(_echo, "127.0.0.1", target)
    with Proxy() as proxy:
        yield proxy, proxy.open("echo", target)
    server.close()


async def _open(port: int) -> Streams:
    return await asyncio.open_connection("127.0.0.1", port)


async def _ask(streams: Streams, word: bytes, *, timeout_seconds: float = 2.0) -> bytes:
    streams[1].write(word)
    async with asyncio.timeout(timeout_seconds):
        return await streams[0].readexactly(len(word))


async def test_fair_weather_passes_bytes_in_order_and_ends(link: tuple[Proxy, int]) -> None:
    proxy, port = link
    streams = await _open(port)
    large = bytes(range(256)) * 20_000
    assert await _ask(streams, large) == large
    streams[1].close()
    await streams[1].wait_closed()
    await _until(lambda: proxy.connections == 0)


async def test_latency_counts_in_both_directions_and_keeps_the_order(link: tuple[Proxy, int]) -> None:
    proxy, port = link
    streams = await _open(port)
    await _ask(streams, b"once")
    proxy.change(["echo"], Weather(latency_seconds=0.1))
    began = time.monotonic()
    assert await _ask(streams, b"slow") == b"slow"
    assert 0.19 <= time.monotonic() - began < 1  # timers go by milliseconds
    streams[1].write(b"first ")
    await asyncio.sleep(0.02)
    proxy.change(["echo"], FAIR)
    assert await _ask(streams, b"second") + await streams[0].readexactly(6) == b"first second"


@pytest.mark.parametrize("weather", [Weather(up=False), Weather(down=False), Weather(up=False, down=False)])
async def test_cut_off_bytes_are_held_and_the_connection_stands(link: tuple[Proxy, int], weather: Weather) -> None:
    proxy, port = link
    streams = await _open(port)
    await _ask(streams, b"once")
    proxy.change(["echo"], weather)
    with pytest.raises(TimeoutError):
        await _ask(streams, b"held", timeout_seconds=0.3)
    proxy.heal()
    assert await asyncio.wait_for(streams[0].readexactly(4), 2) == b"held"


async def test_an_end_is_not_seen_through_a_cut(link: tuple[Proxy, int]) -> None:
    proxy, port = link
    streams = await _open(port)
    await _ask(streams, b"once")
    proxy.change(["echo"], Weather(up=False))
    streams[1].close()
    await asyncio.sleep(0.2)
    assert proxy.connections == 1  # the server's end stands
    proxy.heal()
    await _until(lambda: proxy.connections == 0)


async def test_a_reset_before_healing_forgets_what_was_held(link: tuple[Proxy, int]) -> None:
    proxy, port = link
    streams = await _open(port)
    await _ask(streams, b"once")
    proxy.change(["echo"], Weather(down=False))
    streams[1].write(b"lost")
    await asyncio.sleep(0.1)
    proxy.reset(["echo"])
    proxy.heal()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(streams[0].readexactly(4), 2)


async def test_refused_resets_what_stands_and_takes_nothing_until_healed(link: tuple[Proxy, int]) -> None:
    proxy, port = link
    streams = await _open(port)
    await _ask(streams, b"once")
    proxy.change(["echo"], Weather(refuse=True))
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(streams[0].readexactly(1), 2)
    with pytest.raises(ConnectionRefusedError):
        await _open(port)
    proxy.heal()
    assert await _ask(await _open(port), b"again") == b"again"


async def _until(holds: object) -> None:
    until = time.monotonic() + 2
    while not holds():  # type: ignore[operator]  # a callable
        assert time.monotonic() < until, "it did not come to that"
        await asyncio.sleep(0.02)


async def test_it_is_counted_who_met_bad_weather_and_who_met_fair_weather_is_not(link: tuple[Proxy, int]) -> None:
    proxy, port = link
    streams = await _open(port)
    await _ask(streams, b"once")
    assert proxy.struck(["echo"]) == 0
    proxy.change(["echo"], Weather(down=False))
    proxy.change(["echo"], FAIR)
    assert proxy.struck(["echo"]) == 0, "nothing was sent meanwhile"
    proxy.change(["echo"], Weather(latency_seconds=0.01))
    await _ask(streams, b"slow")
    assert proxy.struck(["echo"]) == 2, "on the way there and back"
    proxy.change(["echo"], Weather(up=False))
    streams[1].write(b"held")
    await _until(lambda: proxy.struck(["echo"]) == 3)
    proxy.reset(["echo"])
    assert proxy.struck(["echo"]) == 5, "both ends"
    await _until(lambda: proxy.connections == 0)
    proxy.reset(["echo"])
    assert proxy.struck(["echo"]) == 5, "no connection is there any more"


async def test_weather_that_is_somebodys_leaves_the_others_alone(link: tuple[Proxy, int]) -> None:
    proxy, port = link
    his, hers = await _open(port), await _open(port)
    await _ask(his, b"I am he")
    await _ask(hers, b"I am she")
    proxy.change(["echo"], Weather(up=False, down=False, whose=b"am he"))
    later = await _open(port)
    assert await _ask(hers, b"again") == b"again"
    assert await _ask(later, b"hello") == b"hello"
    with pytest.raises(TimeoutError):
        await _ask(his, b"again", timeout_seconds=0.3)
    proxy.change(["echo"], FAIR)
    assert await his[0].readexactly(5) == b"again"
