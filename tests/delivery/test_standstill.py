"""A process that stood still itself says nothing of its work: it is asked again when it has run for a while."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from shared.delivery import watchdog
from shared.delivery.watchdog import PARTITION_STALLED_SECONDS, STALLED_SECONDS, Watchdog


class _Town:
    """A service with a position that stands still although records wait, by a clock that a test moves. `moves`: its other one."""

    def __init__(self, clock: SimpleNamespace) -> None:
        self.clock = clock
        self.moves = False
        place, other = ("requests.v1", 0), ("requests.v1", 1)

        async def find_progress() -> Any:
            return {place: 3, other: int(clock.now) if self.moves else 9}, False

        async def find(_: object) -> Any:
            return {place: (0, 9), other: (0, 9999 if self.moves else 9)}

        positions, gate = SimpleNamespace(find_progress=find_progress), SimpleNamespace(is_open=True)
        shell: Any = SimpleNamespace(service=SimpleNamespace(name="router"), positions=positions, gate=gate)
        consumer: Any = SimpleNamespace(has_joined=True, halted=None, progressed=0.0, ends=SimpleNamespace(find=find))
        consumer.assigned = lambda: {place, other}
        relay: Any = SimpleNamespace(leads=False, last_error=None)
        self.watchdog = Watchdog(shell, consumer, relay)

    async def run(self, seconds: int) -> None:
        """Let time pass, second by second."""
        for _ in range(seconds):
            self.clock.now += 1.0
            await asyncio.sleep(0.02)


@pytest.fixture
async def town(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[_Town]:
    """Its watchdog runs, a hundred times as fast."""
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.01)
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(watchdog, "time", SimpleNamespace(monotonic=lambda: clock.now))
    town = _Town(clock)
    task = asyncio.create_task(town.watchdog.serve())
    yield town
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_work_that_stands_still_while_the_process_runs_turns_red(town: _Town) -> None:
    await town.run(int(STALLED_SECONDS) - 2)
    assert town.watchdog.fault() is None
    await town.run(5)
    assert "nothing taken from Kafka" in (town.watchdog.fault() or "")


async def test_one_partition_that_stands_still_while_others_move_turns_red_later(town: _Town) -> None:
    town.moves = True
    await town.run(int(PARTITION_STALLED_SECONDS) - 2)
    assert town.watchdog.fault() is None
    await town.run(5)
    assert "nothing taken from one partition" in (town.watchdog.fault() or "")


async def test_a_process_that_stood_still_is_green_when_it_wakes_and_red_when_it_does_nothing_then(town: _Town) -> None:
    await town.run(10)
    town.clock.now += 18.0
    assert town.watchdog.fault() is None, "at once, before anything else ran"
    await town.run(int(STALLED_SECONDS) - 2)
    assert town.watchdog.fault() is None
    await town.run(5)
    assert town.watchdog.fault() is not None
