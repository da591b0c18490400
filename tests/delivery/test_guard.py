"""A loop of a service begins again, unless the service ends it: then it is waited for, but not for ever. Without a server."""

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


async def test_a_loop_rests_before_it_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "AGAIN_SECONDS", 60.0)
    loop = Loop(RuntimeError("closed transport"))
    task = await begin(loop)

    assert (loop.begun, task.done()) == (1, False)
    task.cancel()


async def test_what_a_loop_has_begun_is_waited_for() -> None:
    finished = False

    async def serve() -> None:
        nonlocal finished
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.02)
            finished = True

    task = asyncio.create_task(serve())
    await asyncio.sleep(0)
    await guard.end([task], service="router", log=get_log("router"))

    assert finished


@pytest.mark.parametrize("stubborn", [1, 9], ids=["it ends when it is cancelled once more", "it never ends"])
async def test_a_loop_that_does_not_end_holds_nobody_up(
    stubborn: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(guard, "END_SECONDS", 0.05)
    monkeypatch.setattr(guard, "LAST_SECONDS", 0.05)
    cancelled, over = 0, asyncio.Event()

    async def serve() -> None:
        nonlocal cancelled
        while cancelled <= stubborn:
            try:
                await over.wait()
                return
            except asyncio.CancelledError:
                cancelled += 1
        raise asyncio.CancelledError

    task = asyncio.create_task(serve(), name="Router.serve")
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await guard.end([task], service="router", log=get_log("router"))

    assert cancelled == 2
    assert ("router.Router.serve" in capsys.readouterr().out) == (stubborn > 2)
    over.set()
    await asyncio.wait({task})
