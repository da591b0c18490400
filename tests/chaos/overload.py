"""More posts than intake can take, from a process of its own: the client is not to share the loop of who watches."""

import asyncio
import json
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import uvloop

from tests.proof.http_load import post

_ANSWER_SECONDS: Final = 30.0


@dataclass
class Flood:
    """What became of it. `unknown`: posts without an answer. `wrong`: neither taken nor told to come back later."""

    accepted: set[UUID] = field(default_factory=set)
    turned_away: int = 0
    wrong: int = 0
    unknown: int = 0
    seconds: float = 0.0

    @property
    def goodput(self) -> float:
        """Requests taken a second."""
        return len(self.accepted) / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.goodput:.0f}/s taken, {self.turned_away / self.seconds:.0f}/s told to come back, "
            f"{self.wrong} other answers, {self.unknown} without one"
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
    told = json.loads(output)
    return Flood(set(map(UUID, told.pop("accepted"))), **told)


def _request(number: int) -> bytes:
    body: dict[str, object] = {
        "authority": "rivemont",
        "channel": "app",
        "service": "voirie",
        "email": f"presse{number}@courriel.example",
        "text": "Bonjour, le lampadaire devant le 12 rue des Tanneurs est éteint.",
    }
    return post("/v1/requests", body, {"Idempotency-Key": uuid.uuid4().hex})


class _Client:
    def __init__(self, port: int, *, rate: float, seconds: float) -> None:
        self._port = port
        self._rate = rate
        self._seconds = seconds
        self._next = 0
        self.flood = Flood()

    async def run(self, connections: int) -> None:
        began = time.monotonic()
        await asyncio.gather(*(self._connection(began) for _ in range(connections)))
        self.flood.seconds = self._seconds

    async def _connection(self, began: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            while True:
                number, self._next = self._next, self._next + 1
                due = began + number / self._rate if self._rate else time.monotonic()
                if max(due, time.monotonic()) > began + self._seconds:
                    return
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                writer.write(_request(number))
                try:
                    async with asyncio.timeout(_ANSWER_SECONDS):
                        self._note(*await _answer(reader))
                except (OSError, EOFError, TimeoutError):
                    self.flood.unknown += 1
                    return
        finally:
            writer.close()

    def _note(self, status: int, head: bytes, body: bytes) -> None:
        if status in (200, 201):
            self.flood.accepted.add(UUID(json.loads(body)["request_id"]))
        elif status == 503 and b"\r\nretry-after:" in head.lower():
            self.flood.turned_away += 1
        else:
            self.flood.wrong += 1


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
    return int(head.split(b" ", 2)[1]), head, await reader.readexactly(length)


def main() -> None:
    """Flood, and tell what became of it as JSON."""
    port, rate, seconds, connections = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    client = _Client(port, rate=rate, seconds=seconds)
    uvloop.run(client.run(connections))
    told = vars(client.flood) | {"accepted": [str(one) for one in client.flood.accepted]}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
