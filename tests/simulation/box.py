"""What a client has in its hands while a process works on what it asked."""

from typing import TYPE_CHECKING, Any

from shared.delivery.values import Result
from tests.simulation.scheduler import Task

if TYPE_CHECKING:
    from tests.simulation.process import Process


class Box:
    """Where a client waits for an answer. `result` is None when there will be none: the process died."""

    __slots__ = ("_process", "_task", "finished", "result")

    def __init__(self, process: "Process", task: Task) -> None:
        self._process = process
        self._task = task
        self.finished = False
        self.result: Result[Any] | None = None

    def done(self) -> bool:
        return self.finished

    def set_result(self, result: Result[Any] | None) -> None:
        self.finished = True
        self.result = result
        self._process.boxes.pop(self, None)
        self._process.world.scheduler.wake(self._task)
