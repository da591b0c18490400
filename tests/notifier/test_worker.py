"""The loop of one connection to the mail server ends only when the service ends it. Without a server."""

import asyncio
from typing import Any

import pytest

from services.notifier.sender import _Worker
from shared import guard
from shared.log import get_log


class Sender:
    """Always has letters; sends them as it is told."""

    def __init__(self, *ends: BaseException) -> None:
        self._ends = list(ends)
        self.delivering = asyncio.Event()
        self.delivered = 0
        self.stopped = False

    async def next_set(self, *_parts: object, limit: int) -> list[int]:
        await asyncio.sleep(0.01)
        return [limit]

    async def deliver(self, *_parts: object) -> bool:
        if self._ends:
            raise self._ends.pop(0)
        self.delivering.set()
        await asyncio.sleep(0.01)
        self.delivered += 1
        return False

    def stop(self) -> None:
        self.stopped = True


class Line:
    async def close(self) -> None:
        pass


def begin(sender: Sender) -> "asyncio.Task[None]":
    worker = _Worker(sender, Line(), None)  # type: ignore[arg-type]  # as far as they are used
    return asyncio.create_task(guard.guard(worker.serve, service="notifier", log=get_log("notifier")))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "AGAIN_SECONDS", 0.0)


@pytest.mark.parametrize("end", [asyncio.CancelledError(), RuntimeError("unforeseen")], ids=["a cancellation", "an error"])
async def test_it_goes_on_sending_after_a_delivery_that_ended_by_itself(end: Any) -> None:
    sender = Sender(end)
    task = begin(sender)
    async with asyncio.timeout(10):
        while sender.delivered < 2:
            await asyncio.sleep(0.01)

    assert not sender.stopped, "nobody ends the service"
    task.cancel()
    await asyncio.wait({task})


async def test_it_finishes_what_is_under_way_when_the_service_ends() -> None:
    sender = Sender()
    task = begin(sender)
    await asyncio.wait_for(sender.delivering.wait(), 10)
    task.cancel()
    await asyncio.wait({task})

    assert (sender.stopped, sender.delivered, task.cancelled()) == (True, 1, True)
