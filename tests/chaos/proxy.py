"""A TCP proxy that can be told to misbehave: what stands between a service and a server when the network breaks.

Bytes that are cut off are held, as a sender's kernel holds what nobody acknowledges: after healing they arrive, unless the
connections are reset then, as by a firewall that has forgotten them. An end that is closed is not seen by the other side
either while it is cut off.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

import uvloop

from deploy.local import ports

_ANSWER_SECONDS: Final = 10
_FULL_BYTES: Final = 1_048_576
_GREETING_BYTES: Final = 128
_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""The option by which closing is a reset."""


@dataclass(frozen=True)
class Weather:
    """How a link behaves. The defaults are fair weather. `up`: to the server, or from people to the service."""

    latency_seconds: float = 0.0
    up: bool = True
    down: bool = True
    refuse: bool = False
    """New connections are refused, as nobody listened; those that stand are reset."""
    whose: bytes = b""
    """`up` and `down` are of those connections alone whose first bytes upwards hold this, such as the name of a client."""


FAIR: Final = Weather()


class Link:
    """One listening port, and the server behind it. Lives in the proxy's loop."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.target = target
        self.weather = FAIR
        self.ends: set[_End] = set()
        self.struck = 0
        """How often somebody met bad weather: bytes were held or delayed, a connection was reset."""
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Take connections."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _End(self, upwards=True), "127.0.0.1", self.port)

    async def change(self, weather: Weather) -> None:
        """Behave in another way from now on; what was held goes out when it may."""
        self.weather = weather
        if weather.refuse and self._server is not None:
            self._server.close()
            self._server = None
            self.reset()
        elif not weather.refuse and self._server is None:
            await self.listen()
        for end in list(self.ends):
            end.flush()
            if end.peer is not None:
                end.peer.flush()

    def reset(self) -> None:
        """Abort every connection: both sides get a reset."""
        self.struck += len(self.ends)
        for end in list(self.ends):
            end.abort()

    def is_open(self, *, upwards: bool, greeting: bytes) -> bool:
        """Whether bytes pass in this direction of a connection that began so."""
        return (self.weather.up if upwards else self.weather.down) or self.weather.whose not in greeting


class _End(asyncio.Protocol):
    """One end of a connection; `peer` is the other. `upwards`: what comes in here goes to the server."""

    def __init__(self, link: Link, *, upwards: bool, peer: "_End | None" = None) -> None:
        self._link = link
        self._upwards = upwards
        self.peer = peer
        self.transport: asyncio.Transport | None = None
        self._held: list[bytes] = []
        """What came in here and has not gone out at the other end."""
        self._held_bytes = 0
        self._greeting = b""
        """The first bytes that came in here."""
        self._timed = 0
        self._last_due = 0.0
        self._gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Have the other end, too: connect to the server."""
        self.transport = transport  # type: ignore[assignment]  # of a stream: uvloop's own class, which can all of it
        self._link.ends.add(self)
        if self._upwards:
            asyncio.get_running_loop().create_task(self._connect())
        elif self.peer is not None:
            self.peer.flush()

    async def _connect(self) -> None:
        peer = self.peer = _End(self._link, upwards=False, peer=self)
        try:
            await asyncio.get_running_loop().create_connection(lambda: peer, "127.0.0.1", self._link.target)
        except OSError:
            self.abort()
        else:
            if self._gone:
                peer.abort()

    def data_received(self, data: bytes) -> None:
        """Hand on, now, later, or when the cut is over."""
        self._greeting = self._greeting or data[:_GREETING_BYTES]
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > _FULL_BYTES and self.transport is not None:
            self.transport.pause_reading()
        latency = self._link.weather.latency_seconds
        self._link.struck += latency > 0 or not self._is_open()
        if not latency and not self._timed:
            self.flush()
            return
        loop = asyncio.get_running_loop()
        self._last_due = max(self._last_due, loop.time() + latency)
        self._timed += 1
        loop.call_at(self._last_due, self._due)

    def _is_open(self) -> bool:
        below = self if self._upwards else self.peer
        return self._link.is_open(upwards=self._upwards, greeting=below._greeting if below is not None else b"")

    def _due(self) -> None:
        self._timed -= 1
        self.flush(keep=self._timed)

    def flush(self, *, keep: int | None = None) -> None:
        """Hand on what is held but for the last `keep` pieces (by default: those that are still delayed)."""
        peer = self.peer
        if peer is None or peer.transport is None or not self._is_open():
            return
        if peer._gone:
            self._held.clear()
            return
        count = max(0, len(self._held) - (self._timed if keep is None else keep))
        if count:
            going, self._held = self._held[:count], self._held[count:]
            self._held_bytes = sum(map(len, self._held))
            peer.transport.write(b"".join(going))
            if self.transport is not None and not self._gone and self._held_bytes <= _FULL_BYTES:
                self.transport.resume_reading()
        if self._gone and not self._held:
            peer.transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell the other end, once everything has gone out."""
        self._gone = True
        self._link.ends.discard(self)
        if self.peer is not None and self.peer._gone:
            return
        self.flush()

    def abort(self) -> None:
        """Reset this end and the other."""
        self._held.clear()
        for end in (self, self.peer):
            if end is not None and end.transport is not None and not end._gone:
                end.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                end.transport.abort()


class Proxy:
    """Several links in a thread of their own. Its methods may be called from any other thread; each returns when it is done."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._links: dict[str, Link] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_ANSWER_SECONDS)

    def open(self, name: str, target: int) -> int:
        """Make a link to a port of loopback; return the port that it listens on."""
        link = self._links[name] = Link(ports.free_port(), target)
        self._do(link.listen())
        return link.port

    def change(self, names: Iterable[str], weather: Weather) -> None:
        """Have links behave so from now on."""
        for name in names:
            self._do(self._links[name].change(weather))

    def reset(self, names: Iterable[str]) -> None:
        """Reset every connection of these links."""
        self._do(self._reset([self._links[name] for name in names]))

    def heal(self) -> None:
        """Fair weather on all links; what was held arrives."""
        self.change(self._links, FAIR)

    def struck(self, names: Iterable[str]) -> int:
        """How often somebody has met bad weather on these links, up to now."""
        return sum(self._links[name].struck for name in names)

    @property
    def connections(self) -> int:
        """How many ends are open, on all links together."""
        return sum(len(link.ends) for link in self._links.values())

    async def _close(self) -> None:
        for link in self._links.values():
            if link._server is not None:
                link._server.close()
            link.reset()

    @staticmethod
    async def _reset(links: Iterable[Link]) -> None:
        for link in links:
            link.reset()

    def _do(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_ANSWER_SECONDS)
