"""A small HTTP/1.1 client for load on loopback: kept connections, prepared bytes, nothing parsed but status and length."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.memory import without_collector
from tests.proof.report import percentile


@dataclass
class Outcome:
    """Answers by status, and how long each took (seconds)."""

    statuses: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.elapsed

    def percentile(self, share: float) -> float:
        """The time within which that share of the answers came, in milliseconds."""
        return percentile(self.seconds, share) * 1000


def post(path: str, body: dict[str, object], headers: dict[str, str] | None = None) -> bytes:
    """Return the bytes of a POST with a JSON body."""
    payload = json.dumps(body).encode()
    told = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(payload)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + payload


async def run_load(
    port: int,
    make: Callable[[int], bytes],
    *,
    count: int,
    connections: int,
    rate: float | None = None,
    heard: Callable[[float, bytes], None] = lambda _begun, _body: None,
) -> Outcome:
    """Send `count` requests over kept connections, as fast as they are answered, or at `rate` a second.

    A request that had to wait for a connection is timed from when it was due. `heard`: given that instant and the answer.
    """
    outcome = Outcome()
    numbers = iter(range(count))
    started = time.perf_counter()

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for number in numbers:
                due = started + number / rate if rate else 0.0
                if (wait := due - time.perf_counter()) > 0:
                    await asyncio.sleep(wait)
                begun = max(due, started) if rate else time.perf_counter()
                writer.write(make(number))
                status, body = await _answer(reader)
                heard(begun, body)
                outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
                outcome.seconds.append(time.perf_counter() - begun)
        finally:
            writer.close()

    with without_collector():  # a full collection of ours lasts 70 ms, which is not the server's
        await asyncio.gather(*(worker() for _ in range(connections)))
    outcome.elapsed = time.perf_counter() - started
    return outcome


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0)
    body = await reader.readexactly(length) if length else b""
    return int(lines[0].split(b" ", 2)[1]), body
