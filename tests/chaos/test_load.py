"""Who posts: most insist until they have their answer; who gives up posts once, and can be told from all others."""

import asyncio
import json
import uuid
from collections import Counter
from typing import Any, Final, NamedTuple

from tests.chaos.load import Load
from tests.judge.evidence import History

_COUNT: Final = 80


class _Post(NamedTuple):
    """What came in. `key`: its Idempotency-Key, if it had one. Any: JSON."""

    key: str | None
    body: dict[str, Any]


async def _posted(*, seed: int | None) -> tuple[list[_Post], History]:
    """Let people post to somebody who hangs up on each at first; return what came in, and what they were told."""
    posts: list[_Post] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
        posts.append(_Post(fields.get("idempotency-key"), json.loads(await reader.readexactly(int(fields["content-length"])))))
        if sum(one.body == posts[-1].body for one in posts) > 1:
            told = json.dumps({"request_id": str(uuid.uuid4()), "tracking_url": "http://127.0.0.1:1/token"})
            status = "201 Created" if posts[-1].body["authority"] == "rivemont" else "422 Unprocessable"
            writer.write(f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(told)}\r\n\r\n{told}".encode())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        history = History()
        load = Load(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", rate=400.0, history=history, seed=seed)
        running = asyncio.create_task(load.run())
        while load.posted < _COUNT:
            await asyncio.sleep(0.01)
        load.stop()
        await running
    return [one for one in posts if one.body["authority"] == "rivemont"], history


async def test_who_gives_up_posts_once_and_is_known_by_a_key_or_by_a_service_that_nobody_else_asks_for() -> None:
    posts, history = await _posted(seed=1)
    once = [one for one in posts if sum(one.body == other.body for other in posts) == 1]
    assert Counter(one.key is None for one in once).keys() == {True, False}
    assert {one.key or one.body["service"] for one in once} == history.marks
    assert len(once) == len(history.marks) == history.unknown < len(posts) / 4
    again = [one for one in posts if one not in once]
    assert all(one.key for one in again) and len({one.key for one in again}) == len(history.accepted) == len(again) / 2


async def test_nobody_gives_up_without_a_seed() -> None:
    posts, history = await _posted(seed=None)
    assert history.unknown == 0 and len(history.accepted) == len(posts) / 2


async def test_the_same_give_up_again() -> None:
    def without_key(posts: list[_Post]) -> set[int]:
        return {number for one in posts if one.key is None and (number := int(one.body["service"].split("-")[1])) <= _COUNT}

    (first, _), (second, _) = await _posted(seed=2), await _posted(seed=2)
    assert without_key(first) == without_key(second) != set()
