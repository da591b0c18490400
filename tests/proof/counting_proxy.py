"""Counts round trips: a TCP proxy before PostgreSQL that notes each time a client speaks after the server did."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


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
        self._note()
        if self.other is None:
            self.waiting.append(data)
        else:
            self.other.write(data)

    def _note(self) -> None:
        self.last[0] = "server"

    def connection_lost(self, _error: Exception | None) -> None:
        if self.other is not None:
            self.other.close()


class _Client(_Pipe):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, server = await loop.create_connection(lambda: _Pipe(self._proxy), *self._proxy.target)
        server.other, server.last, self.other = self.transport, self.last, server.transport
        for data in self.waiting:
            self.other.write(data)

    def _note(self) -> None:
        if self.last[0] != "client":
            self._proxy.trips += 1
        self.last[0] = "client"


class CountingProxy:
    """`trips` counts; set it to 0 to begin anew. `dsn` is the address through the proxy."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self.trips = 0
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
