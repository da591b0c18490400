"""Counts round trips and statements: a TCP proxy before PostgreSQL.

A round trip: a client speaks after the server did. A statement: a simple query, or one execution of a prepared one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_PROTOCOL = 196_608
"""3.0. With this code a client introduces itself; from there on each of its messages begins with a letter."""


class Statements:
    """Reads what a client says to PostgreSQL, in pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""
        self._skip = 0
        self._introduced = False

    def begun(self, data: bytes) -> int:
        """Return how many statements begin in the next piece."""
        data = self._rest + data
        head = 5 if self._introduced else 8
        count = at = 0
        while True:
            passed = min(self._skip, len(data) - at)
            at, self._skip = at + passed, self._skip - passed
            if self._skip or len(data) - at < head:
                self._rest = data[at:]
                return count
            if self._introduced:
                count += data[at] in b"QE"
                self._skip = 1 + int.from_bytes(data[at + 1 : at + 5])
            else:
                self._skip = int.from_bytes(data[at : at + 4])
                self._introduced = int.from_bytes(data[at + 4 : at + 8]) == _PROTOCOL
                head = 5 if self._introduced else 8


class _Pipe(asyncio.Protocol):
    """One direction's end: what it receives goes to the other end as it came."""

    def __init__(self, proxy: "CountingProxy") -> None:
        self._proxy = proxy
        self.other: asyncio.Transport | None = None
        self.waiting: list[bytes] = []
        self.last: list[str] = [""]
        """Who spoke last on this connection; shared by its two ends."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]  # TCP

    def data_received(self, data: bytes) -> None:
        self._note(data)
        if self.other is None:
            self.waiting.append(data)
        elif not self.other.is_closing():  # the last words of either side may come after the other has left
            self.other.write(data)

    def _note(self, _data: bytes) -> None:
        self.last[0] = "server"

    def connection_lost(self, _error: Exception | None) -> None:
        if self.other is not None:
            self.other.close()


class _Client(_Pipe):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._statements = Statements()
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, server = await loop.create_connection(lambda: _Pipe(self._proxy), *self._proxy.target)
        server.other, server.last, self.other = self.transport, self.last, server.transport
        for data in self.waiting:
            self.other.write(data)

    def _note(self, data: bytes) -> None:
        self._proxy.statements += self._statements.begun(data)
        if self.last[0] != "client":
            self._proxy.trips += 1
        self.last[0] = "client"


class CountingProxy:
    """`trips` and `statements` count; set them to 0 to begin anew. `dsn` is the address through the proxy."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self.trips = 0
        self.statements = 0
        self._parts = parts
        self.dsn = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["CountingProxy"]:
        """Listen until the end of the block."""
        server = await asyncio.get_running_loop().create_server(lambda: _Client(self), "127.0.0.1", 0)
        user = self._parts.netloc.rpartition("@")[0]
        self.dsn = self._parts._replace(netloc=f"{user}@127.0.0.1:{server.sockets[0].getsockname()[1]}").geturl()
        try:
            yield self
        finally:
            server.close()
