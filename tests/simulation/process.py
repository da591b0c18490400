"""One copy of a service: the shipped shell over the store in memory, a consumer, a lane for local inputs, a clock of its own.

It dies as by kill -9 and comes back a little later, with nothing but what was committed.
"""

from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from services.intake.submission import Acceptance
from shared.delivery.local_queue import MAX_LOCAL_BATCH
from shared.delivery.positions import Positions
from shared.delivery.shell import Shell
from shared.delivery.values import Input
from shared.organisation import Authority, Installation
from tests.simulation.box import Box
from tests.simulation.connection import Pool
from tests.simulation.consumer import Consumer
from tests.simulation.faults import Fault
from tests.simulation.group import CRASH_POINTS, Group, SharedReader
from tests.simulation.mail import Line
from tests.simulation.parking import MemoryParking
from tests.simulation.quiet import CountedLog
from tests.simulation.relay import Relay
from tests.simulation.scheduler import MINUTE, SECOND, Killed, Task, instant, pause
from tests.simulation.store import MemoryStore


class Organisation:
    """The configuration as this copy has read it."""

    def __init__(self, current: Installation) -> None:
        self.current = current


class Process:
    """A copy of a service. Stands for its application: has `shell`, `clock` (itself), `organisation`, `log`."""

    def __init__(self, group: Group, number: int) -> None:
        self.world = group.world
        self.group = group
        self.name = f"{group.name}-{number}"
        self.random = self.world.random_for(self.name)
        self.alive = False
        self.skew = 0
        self.wrong_clock: list[Fault] = []
        """Faults that put its clock off, and that it has not looked at since."""
        self.organisation = Organisation(self.world.installation)
        self.acceptance: Acceptance | None = None
        self.boxes: dict[Box, None] = {}
        self.tasks: list[Task] = []
        self.loops: list[Task] = []
        """What it does besides: ticks, the sending of mail."""
        self.lines: list[Line] = []
        self.log = CountedLog(group.name, self.world.told)
        self.pool = Pool(group.tables.locks, self)
        self.consumer = Consumer(self)
        self.relay = Relay(self)

    # --- as the shell sees it ----------------------------------------------------------------------------------------

    @property
    def clock(self) -> "Process":
        """The clock of the machine it runs on."""
        return self

    def now(self) -> datetime:
        """Return the instant that this machine shows."""
        while self.wrong_clock:
            self.world.took_effect(self.wrong_clock.pop())
        return instant(self.world.scheduler.tick() + self.skew)

    def authority(self, code: str) -> Authority:
        """Return an authority as this copy has read it."""
        return self.organisation.current.authority(code)

    def at(self, point: str) -> int | None:
        """Say what goes wrong at a point: nothing, a wait, or an exception."""
        group, world = self.group, self.world
        if group.away_until and group.is_away():
            raise ConnectionRefusedError
        if group.armed and self.alive:
            if point in CRASH_POINTS and (fault := group.strike("crash_before_commit")):
                self.crash(f"before the commit ({point})", fault)
            if point == "after_commit" and (fault := group.strike("crash_after_commit")):
                self.crash("after the commit", fault)
            if point in ("locked", "before_commit") and (fault := group.strike("stall")):
                world.note(f"{self.name} stalls within a transaction for {fault.size / SECOND:.1f} s", None, fault)
                return fault.size
        if world.slow and self.random.random() < world.slow:
            return min(int(self.random.expovariate(1 / world.latency)), 5 * SECOND)
        return None

    def commits(self) -> bool | None:
        """Return whether a commit was done, when its answer is lost; None: it answers."""
        if self.group.armed:
            if fault := self.group.strike("commit_unknown_lost"):
                self.world.note(f"{self.name} gets no answer to a commit, which was not done", None, fault)
                return False
            if fault := self.group.strike("commit_unknown_done"):
                self.world.note(f"{self.name} gets no answer to a commit, which was done", None, fault)
                return True
        return None

    def unheard(self, parked: int) -> None:
        """Note that a commit which parked so many records was done, and that this copy never heard of it."""
        self.world.history.untold[self.group.name] += parked

    # --- life and death ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin, or begin again after a death."""
        world, group = self.world, self.group
        self.alive = True
        self.organisation.current = world.installation
        admissions = world.admissions_of(self)
        self.shell: Shell[Any] = Shell(
            group.service,
            pool=self.pool,  # type: ignore[arg-type]  # stands for asyncpg's
            clock=self,
            authority_of=self.authority,
            vault=world.vault,  # type: ignore[arg-type]  # stands for the vault
            admissions=admissions,
        )
        self.shell.core = group.core
        self.shell.log = self.log
        self.shell.reader = SharedReader(world, group.sequenced, admissions, world.vault.reveal)
        self.shell.store = MemoryStore(group.tables, self.shell.reader.read_waiting, self)  # type: ignore[assignment]  # stands for the store
        self.shell.positions = Positions(self.shell.pool, self.shell.store, group.name)
        self.parking = MemoryParking(self.shell, group.tables)
        self.tasks = []
        self.consumer.begin()
        self._lane = self.spawn(self._serve_local())
        self._relay = self.spawn(self.relay.serve())
        self.shell.on_commit = self._wake_relay
        self.loops = [self.spawn(loop) for loop in world.loops_of(self)]

    def spawn(self, work: Coroutine[Any, None, None]) -> Task:
        """Begin a task that dies with the process."""
        task = self.world.scheduler.spawn(work, owner=self)
        self.tasks.append(task)
        return task

    def falls(self, task: Task) -> bool:
        """Die instead of the next step of one of its tasks, wherever that stands, if a fault wants it."""
        group, world = self.group, self.world
        if not group.armed:
            return False
        fault = group.strike("crash_at_a_step")
        if fault is None and group.awaits("crash_at_a_lock") and task.place == "Locks.take":
            fault = group.strike("crash_at_a_lock")
        if fault is None:
            return False
        world.count(f"killed in {task.place}")
        world.note(f"{self.name} is killed in {task.place}", None, fault)
        self.die()
        return True

    def crash(self, where: str, fault: Any) -> None:
        """Die here and now: what would clean up finds the process dead. Raises Killed."""
        self.world.note(f"{self.name} is killed {where}", None, fault)
        self.die()
        raise Killed

    def die(self) -> None:
        """Die: of all its tasks nothing goes on, whoever waits for an answer gets none; come back a little later."""
        if not self.alive:
            return
        self.alive = False
        for task in self.tasks:
            task.kill()
        for line in self.lines:
            line.lost()
        self.lines.clear()
        for box in list(self.boxes):
            box.set_result(None)
        self.boxes.clear()
        if self.group.leader is self:
            self.group.leader = None
        self.group.share_out()
        self.group.lead()
        self.world.scheduler.spawn(self._come_back())

    async def _come_back(self) -> None:
        await pause(int(self.random.random() * self.random.choice((SECOND, 10 * SECOND, 5 * MINUTE))))
        self.start()
        self.group.share_out()
        self.group.lead()

    def _wake_relay(self) -> None:
        if self.group.tables.pending:
            self.group.wake_relay(None)

    def wake_relay(self, delay: int | None) -> None:
        """Have its relay look at the outbox; None: as soon as word gets there."""
        self.world.scheduler.wake(self._relay, self.world.delay(self.random) if delay is None else delay)

    # --- local inputs ------------------------------------------------------------------------------------------------

    def submit(self, one: Input, task: Task) -> Box:
        """Hand in a local input; the task waits for the box."""
        box = Box(self, task)
        self.boxes[box] = None
        self.shell.local._queue.append((one, box))  # type: ignore[arg-type]  # a box stands for a future
        self.world.scheduler.wake(self._lane, self.world.delay(self.random) // 8)
        return box

    async def _serve_local(self) -> None:
        local = self.shell.local
        while True:
            if not local._queue:
                await pause(None)
                continue
            batch, local._queue = local._queue[:MAX_LOCAL_BATCH], local._queue[MAX_LOCAL_BATCH:]
            await local._run(batch)
