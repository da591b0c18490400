"""What the flood counts, at a server that answers as it is told."""

import asyncio
import itertools
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.chaos.overload import flood


def _answer(status: str, body: bytes = b"{}", extra: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


def _taken() -> bytes:
    return _answer("201 Created", json.dumps({"request_id": str(uuid.uuid4())}).encode())


@asynccontextmanager
async def _server(answers: Sequence[bytes], *, after_seconds: float = 0.001) -> AsyncIterator[int]:
    """Give each post the next of the answers, in two pieces; an empty one hangs up."""
    told = itertools.cycle(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                answer = next(told)
                if not answer:
                    return
                writer.write(answer[:30])
                await asyncio.sleep(after_seconds)
                writer.write(answer[30:])
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("rate", [200.0, None])
async def test_a_flood_tells_what_was_taken_turned_away_and_answered_wrongly(rate: float | None) -> None:
    later = _answer("503 Service Unavailable", extra="Retry-After: 5\r\n")
    wrong = _answer("503 Service Unavailable")
    async with _server([_taken(), later, wrong, _answer("500 Internal Server Error")]) as port:
        told = await flood(port, rate=rate, seconds=1.0, connections=8)
    assert told.unknown == 0
    assert len(told.accepted) == 1, "one id, however often it is told"
    assert told.turned_away == pytest.approx(told.wrong / 2, abs=3)
    if rate:
        assert told.offered == pytest.approx(200, rel=0.01)
        assert told.turned_away == pytest.approx(50, abs=3)
    else:
        assert told.turned_away > 50


async def test_a_post_whose_connection_is_closed_is_unknown() -> None:
    async with _server([b""]) as port:
        told = await flood(port, rate=100.0, seconds=0.5, connections=4)
    assert (told.unknown, told.wrong, told.turned_away, len(told.accepted)) == (4, 0, 0, 0)


async def test_what_is_taken_after_the_flood_is_no_goodput_but_known() -> None:
    async with _server([_taken() for _ in range(4)], after_seconds=0.8) as port:
        told = await flood(port, rate=100.0, seconds=0.5, connections=4)
    assert (told.posted, len(told.accepted), told.goodput) == (4, 4, 0), "each of four connections was waiting for its answer"
