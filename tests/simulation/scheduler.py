"""One scheduler and one clock for all that happens: the order of everything is a function of the seed.

Coroutines run until they wait. What they give up control for is a number of microseconds, or None: until somebody wakes
them. No thread, no event loop, no real time.
"""

import heapq
import inspect
from collections.abc import Coroutine, Generator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import coroutine
from typing import Any, Final, Protocol

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = 1_000
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


class Endless(Exception):
    """So much happened that somebody must be going round in circles."""


class Killed(BaseException):
    """The process that runs this coroutine dies here, as by kill -9: nothing of it may go on."""


@coroutine
def pause(microseconds: int | None) -> Generator[int | None]:
    """Give up control for a while; None: until `Scheduler.wake`."""
    yield microseconds


class Mortal(Protocol):
    """Whose tasks end with it: a process."""

    def falls(self, task: "Task") -> bool:
        """Be asked before each step of a task, whatever it waits for; tell whether it died instead of it."""
        ...

    def die(self) -> None:
        """Die: one of its tasks raised Killed."""
        ...


class Task:
    """A coroutine under the scheduler. `owner`: who dies with it, None for nobody."""

    __slots__ = ("coroutine", "done", "due", "owner", "send", "turn")

    def __init__(self, work: Coroutine[int | None, None, None], owner: Mortal | None) -> None:
        self.coroutine = work
        self.send = work.send
        self.owner = owner
        self.done = False
        self.due: int | None = None
        self.turn = 0

    @property
    def place(self) -> str:
        """The innermost coroutine in which it stands, such as `Locks.take`."""
        inner: Any = self.coroutine  # Any: coroutines of any kind
        while inspect.iscoroutine(following := inner.cr_await):
            inner = following
        return str(inner.__qualname__)

    def kill(self) -> None:
        """Stop it where it is."""
        if self.done:
            return
        self.done = True
        with suppress(Killed, ValueError, RuntimeError):  # it is the one that runs, or it would clean up: the dead do not
            self.coroutine.close()


class Scheduler:
    """Runs tasks in the order of their instants. `now` is in microseconds since 1970, UTC."""

    def __init__(self, start: datetime) -> None:
        self.now = (start - EPOCH) // timedelta(microseconds=1)
        self.current: Task | None = None
        self._heap: list[tuple[int, int, Task]] = []
        self._turns = 0
        self._tasks: list[Task] = []
        self.steps = 0
        self.most_steps = 10_000_000

    def spawn(
        self, work: Coroutine[Any, None, None], *, delay: int = 0, owner: Mortal | None = None
    ) -> Task:  # Any: what it waits for
        """Begin a task."""
        task = Task(work, owner)
        self._tasks.append(task)
        self._push(task, self.now + delay)
        return task

    def wake(self, task: Task, delay: int = 0) -> None:
        """Have a waiting task go on after `delay`, unless it goes on sooner anyhow."""
        at = self.now + delay
        if not task.done and task is not self.current and (task.due is None or task.due > at):
            self._push(task, at)

    def _push(self, task: Task, at: int) -> None:
        self._turns += 1
        task.due, task.turn = at, self._turns
        heapq.heappush(self._heap, (at, self._turns, task))

    def close(self) -> None:
        """Stop everything."""
        for task in self._tasks:
            task.kill()

    def tick(self) -> int:
        """Return the present instant, and let a microsecond pass: no two looks at a clock show the same."""
        self.now += 1
        return self.now

    def run(self, until: int | None = None) -> bool:
        """Run until nothing is left to do at or before `until`; return whether something is left after it."""
        heap, pop = self._heap, heapq.heappop
        try:
            while heap:
                if until is not None and heap[0][0] > until:
                    self.now = max(self.now, until)
                    return True
                at, turn, task = pop(heap)
                if task.turn != turn or task.done:
                    continue
                if at > self.now:
                    self.now = at
                self.steps += 1
                self.current = task
                task.due = None
                if (owner := task.owner) is not None and owner.falls(task):
                    continue
                try:
                    delay = task.send(None)
                except StopIteration:
                    task.done = True
                except Killed:
                    self._end(task)
                else:
                    if delay is not None and not task.done:
                        self._push(task, self.now + delay)
                if self.steps > self.most_steps:
                    raise Endless(f"{self.steps} steps, and no end")
        finally:
            self.current = None
        return False

    def _end(self, task: Task) -> None:
        task.done = True
        self.current = None
        if task.owner is not None:
            task.owner.die()


def instant(microseconds: int) -> datetime:
    """Return an instant of the scheduler as an aware datetime."""
    return EPOCH + timedelta(microseconds=microseconds)


def microseconds(at: datetime) -> int:
    """Return an aware datetime as an instant of the scheduler."""
    delta = at - EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds
