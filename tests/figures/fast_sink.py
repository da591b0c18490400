"""A mail sink for figures: speaks just enough SMTP, keeps when each mail came, and nothing else.

As a process of its own, `python -m tests.figures.fast_sink PORT`, it uses no time of the one that is measured.
"""

import asyncio
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import uvloop

_MESSAGE_ID = re.compile(rb"^message-id:\s*<([^@>]+)@", re.IGNORECASE | re.MULTILINE)
Arrived = Callable[[str, float], None]


class _Session(asyncio.Protocol):
    """One connection. Commands that come together are answered together, a content when its final dot is there."""

    def __init__(self, arrived: Arrived) -> None:
        self._arrived = arrived
        self._buffer = bytearray()
        self._in_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a TCP server's
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answers = []
        while (end := self._buffer.find(b"\r\n.\r\n" if self._in_content else b"\r\n")) >= 0:
            told = bytes(self._buffer[:end])
            del self._buffer[: end + (5 if self._in_content else 2)]
            answers.append(self._take_content(told) if self._in_content else self._answer(told))
        if answers:
            self._transport.write(b"".join(answers))

    def _take_content(self, content: bytes) -> bytes:
        self._in_content = False
        found = _MESSAGE_ID.search(content, 0, 4096)
        self._arrived(found[1].decode() if found else "", time.perf_counter())
        return b"250 taken\r\n"

    def _answer(self, command: bytes) -> bytes:
        verb = command[:4].upper()
        self._in_content = verb == b"DATA"
        if verb == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 33554432\r\n"
        return {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}.get(verb, b"250 ok\r\n")


async def open_sink(arrived: Arrived, *, port: int = 0) -> asyncio.Server:
    """Listen. `arrived` is given the local part of each mail's Message-ID and the instant of its final dot."""
    return await asyncio.get_running_loop().create_server(lambda: _Session(arrived), "127.0.0.1", port)


def port_of(sink: asyncio.Server) -> int:
    """Return where a sink listens."""
    port: int = sink.sockets[0].getsockname()[1]
    return port


async def _serve(port: int) -> None:
    async with await open_sink(lambda _name, _at: None, port=port) as sink:
        await sink.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        uvloop.run(_serve(int(sys.argv[1])))
