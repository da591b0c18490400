"""A zombie counts when its group has given its partitions away while it stood still, and it lives to wake up."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.chaos import processes
from tests.chaos.stage import Fault, Stage

ZOMBIE = Fault(0, "zombie", "router-1", 0.0)


class _Process:
    def __init__(self, *, exit_code: int | None = None) -> None:
        self.exit_code = exit_code
        self.told: list[str] = []

    def pause(self) -> None:
        self.told.append("pause")

    def resume(self) -> None:
        self.told.append("resume")


async def _haunt(monkeypatch: pytest.MonkeyPatch, process: _Process, *members: int | None) -> Stage:
    """Make the fault; `members`: what the group says, one answer after the other."""
    answers = iter(members)

    async def said(_kafka: str, group: str) -> int | None:
        assert group == "router"
        return next(answers, None)

    monkeypatch.setattr(processes, "_members", said)
    monkeypatch.setattr(processes, "_SETTLED_SECONDS", 1.0)
    monkeypatch.setattr(processes, "_AT_WORK_SECONDS", 0.0)
    town: Any = SimpleNamespace(processes={"router-1": process}, names=lambda _service: ("router-0", "router-1"))
    ready: list[str] = []

    async def all_ready(name: str) -> None:
        ready.append(name)

    orchestrator = SimpleNamespace(all_ready=all_ready)
    scene: Any = SimpleNamespace(town=town, orchestrator=orchestrator, kafka=SimpleNamespace(bootstrap="127.0.0.1:1"))
    stage = Stage(scene, load=SimpleNamespace())  # type: ignore[arg-type]  # nobody posts here
    await processes.haunt(stage, ZOMBIE)
    assert (ready, process.told) == (["router-1"], ["pause", "resume"])
    return stage


async def test_a_zombie_sleeps_until_the_other_copy_has_its_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await _haunt(monkeypatch, _Process(), None, 2, 2, None, 1)
    assert stage.unfelt == set()
    assert [span.fault for span in stage.spans] == [ZOMBIE]


async def test_a_zombie_that_nobody_replaced_met_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await _haunt(monkeypatch, _Process(), 2, 2, 2, 2, 2, 2)).unfelt == {ZOMBIE}


async def test_a_zombie_that_was_killed_in_its_sleep_met_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await _haunt(monkeypatch, _Process(exit_code=-9), 2, 1)).unfelt == {ZOMBIE}


async def test_who_had_no_partitions_yet_is_no_zombie(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await _haunt(monkeypatch, _Process(), 1, 1, 1, 1, 1, 1)).unfelt == {ZOMBIE}
