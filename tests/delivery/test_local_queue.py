"""Who hands something in gets an answer, whatever ends the batch. Without a server."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from shared.delivery.errors import Unavailable
from shared.delivery.gate import Gate
from shared.delivery.local_queue import LocalQueue
from shared.delivery.values import Input
from shared.trace import Tracing
from tests.delivery.sample import REQUEST, Say


async def test_who_waits_is_told_to_come_again_when_the_batch_is_cancelled() -> None:
    async def fold(inputs: Sequence[Input], *, lane: str) -> Any:
        raise asyncio.CancelledError(len(inputs), lane)

    queue: LocalQueue[Any] = LocalQueue(fold, "router", gate=Gate("router", watched=False), tracing=Tracing("router"))
    serving = asyncio.create_task(queue.serve())
    async with asyncio.timeout(1):
        with pytest.raises(Unavailable, match="try again"):
            await queue.apply(Input(REQUEST, "13001", Say("hello")))
    await asyncio.wait({serving})

    assert serving.cancelled(), "whoever ended it is obeyed"
