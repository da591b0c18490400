"""More posts than intake can take, from a process of its own: the client is not to share the loop of who watches."""

import asyncio
import json
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import Final, cast
from uuid import UUID

import uvloop

from tests.figures.http_load import post

_ANSWER_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.002


@dataclass
class Flood:
    """What became of it. `unknown`: posts without an answer. `wrong`: neither taken nor told to come back later.

    `seconds`: how long posts were sent. `in_time`: those of `accepted` that were told so within that time; others came after.
    """

    accepted: set[UUID] = field(default_factory=set)
    posted: int = 0
    in_time: int = 0
    turned_away: int = 0
    wrong: int = 0
    unknown: int = 0
    seconds: float = 0.0

    @property
    def goodput(self) -> float:
        """Requests taken a second, while posts were sent."""
        return self.in_time / self.seconds

    @property
    def offered(self) -> float:
        """Posts sent a second."""
        return self.posted / self.seconds

    def __str__(self) -> str:
        late = len(self.accepted) - self.in_time
        return (
            f"{self.offered:.0f}/s offered, {self.goodput:.0f}/s taken and {late} later, "
            f"{self.turned_away / self.seconds:.0f}/s told to come back, {self.wrong} other answers, {self.unknown} without one"
        )


async def flood(port: int, *, rate: float | None, seconds: float, connections: int) -> Flood:
    """Post at a rate, or (None) as fast as the connections are answered; each request once.

    With enough connections a slow answer does not keep the next post from being sent: that is what overload is.
    """
    arguments = [str(port), str(rate or 0), str(seconds), str(connections)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.overload", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise RuntimeError(f"the client of the flood ended with {process.returncode}: what it said stands above")
    told = json.loads(output)
    return Flood(set(map(UUID, told.pop("accepted"))), **told)


def _request() -> bytes:
    return _HEAD + uuid.uuid4().hex.encode() + _REST


def _parts(path: str, body: dict[str, object]) -> tuple[bytes, bytes]:
    """Return what comes before and after the key of a post: made once, since a flood is to cost its client little."""
    head, _, rest = post(path, body, {"Idempotency-Key": "*"}).partition(b"*")
    return head, rest


_HEAD, _REST = _parts(
    "/v1/requests",
    {
        "authority": "rivemont",
        "channel": "app",
        "service": "voirie",
        "email": "presse@courriel.example",
        "text": "Bonjour, le lampadaire devant le 12 rue des Tanneurs est éteint.",
    },
)


class _Client:
    """Posts what is due over the connections that wait for no answer; without a rate, something always is due."""

    def __init__(self, port: int, *, rate: float, seconds: float) -> None:
        self._port = port
        self._rate = rate
        self._seconds = seconds
        self._idle: list[_Connection] = []
        self._open = 0
        self.flood = Flood()

    async def run(self, connections: int) -> None:
        """Open the connections, flood, and wait for the last answers."""
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
            self._idle.append(connection)
        self._open = connections
        began = time.monotonic()
        while (elapsed := time.monotonic() - began) < self._seconds:
            self._post_until(elapsed * self._rate if self._rate else float("inf"))
            await asyncio.sleep(_LOOK_SECONDS)
        self._post_until(elapsed * self._rate)
        self.flood.seconds, self.flood.in_time = elapsed, len(self.flood.accepted)
        while len(self._idle) < self._open and time.monotonic() - began < self._seconds + _ANSWER_SECONDS:
            await asyncio.sleep(_LOOK_SECONDS)
        self.flood.unknown += self._open - len(self._idle)

    def _post_until(self, due: float) -> None:
        while self._idle and self.flood.posted < due:
            self.flood.posted += 1
            self._idle.pop().post()

    def answered(self, connection: "_Connection", status: int, head: bytes, body: bytes) -> None:
        """Note an answer; its connection can take another post."""
        if status in (200, 201):
            self.flood.accepted.add(UUID(json.loads(body)["request_id"]))
        elif status == 503 and b"\r\nretry-after:" in head:
            self.flood.turned_away += 1
        else:
            self.flood.wrong += 1
        self._idle.append(connection)

    def lost(self, connection: "_Connection") -> None:
        """Note that a connection was closed: if a post was on it, nobody knows what became of that."""
        self._open -= 1
        if connection in self._idle:
            self._idle.remove(connection)
        else:
            self.flood.unknown += 1


class _Connection(asyncio.Protocol):
    def __init__(self, client: _Client) -> None:
        self._client = client
        self._told = b""
        self._transport = asyncio.Transport()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def post(self) -> None:
        """Send one request that nobody sent before."""
        self._transport.write(_request())

    def data_received(self, data: bytes) -> None:
        self._told += data
        head, end, body = self._told.partition(b"\r\n\r\n")
        if not end:
            return
        head = head.lower()
        length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._told = b""
        self._client.answered(self, int(head.split(b" ", 2)[1]), head, body)

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.lost(self)


def main() -> None:
    """Flood, and tell what became of it as JSON."""
    port, rate, seconds, connections = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    client = _Client(port, rate=rate, seconds=seconds)
    uvloop.run(client.run(connections))
    told = vars(client.flood) | {"accepted": [str(one) for one in client.flood.accepted]}
    with open(1, "wb", closefd=False) as output:  # stopped while it writes, an unbuffered `print` drops the rest
        output.write(json.dumps(told).encode())


if __name__ == "__main__":
    main()
