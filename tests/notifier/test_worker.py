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
        self.delivered = 0
        self.stopped = False

    async def next_set(self, *_parts: object, limit: int) -> list[int]:
        await asyncio.sleep(0.01)
        return [limit]

    async def deliver(self, *_parts: object) -> bool:
        if self._ends:
            raise self._ends.pop(0)
        await asyncio.sleep(0.01)
        self.delivered += not self.stopped
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
    await asyncio.sleep(0.2)

    assert not sender.stopped, "nobody ends the service"
    assert sender.delivered > 1
    task.cancel()
    await asyncio.wait({task})


async def test_it_finishes_what_is_under_way_when_the_service_ends() -> None:
    sender = Sender()
    task = begin(sender)
    await asyncio.sleep(0.015)
    task.cancel()
    await asyncio.wait({task})

    assert (sender.stopped, task.cancelled()) == (True, True)
