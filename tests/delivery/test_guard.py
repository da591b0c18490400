"""A loop of a service begins again whatever ends it, but when the service ends it. Without a server."""

import asyncio

import pytest

from shared import guard
from shared.log import get_log


class Loop:
    """Ends as it is told, one run after the other; then runs on."""

    def __init__(self, *ends: BaseException) -> None:
        self._ends = list(ends)
        self.begun = 0

    async def serve(self) -> None:
        self.begun += 1
        if self._ends:
            raise self._ends.pop(0)
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "AGAIN_SECONDS", 0.0)


async def begin(loop: Loop) -> "asyncio.Task[None]":
    task = asyncio.create_task(guard.guard(loop.serve, service="router", log=get_log("router")))
    await asyncio.sleep(0.01)
    return task


@pytest.mark.parametrize("end", [RuntimeError("closed transport"), asyncio.CancelledError()], ids=["an error", "a cancellation"])
async def test_a_loop_that_ends_by_itself_begins_again(end: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    loop = Loop(end)
    task = await begin(loop)

    assert (loop.begun, task.done()) == (2, False), "a cancellation that nobody asked for is an error like any other"
    assert "service.loop_failed" in capsys.readouterr().out
    task.cancel()


async def test_a_loop_that_the_service_ends_stays_ended() -> None:
    loop = Loop()
    task = await begin(loop)
    task.cancel()
    await asyncio.wait({task}, timeout=1)

    assert (loop.begun, task.cancelled()) == (1, True)


async def test_a_loop_that_fails_while_the_service_ends_it_does_not_begin_again() -> None:
    begun = 0

    async def serve() -> None:
        nonlocal begun
        begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            raise ConnectionError("a rollback on a broken connection")

    task = asyncio.create_task(guard.guard(serve, service="router", log=get_log("router")))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task}, timeout=1)

    assert (begun, task.done()) == (1, True)
