"""A process may die at any step, whatever it waits for then."""

from typing import Any

from tests.delivery.sample import NOW
from tests.simulation.connection import Locks, Pool
from tests.simulation.desk import Calm
from tests.simulation.scheduler import SECOND, Scheduler, Task, pause


class Victim:
    """Dies at the first step at which one of its tasks stands in a place."""

    def __init__(self, place: str) -> None:
        self._place = place
        self.tasks: list[Task] = []
        self.fell = ""

    def falls(self, task: Task) -> bool:
        if task.place != self._place:
            return False
        self.fell = task.place
        self.die()
        return True

    def die(self) -> None:
        for task in self.tasks:
            task.kill()


async def write(pool: Pool, locks: Locks, done: list[str], first: str, second: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await locks.take(connection, first)
        await pause(SECOND)
        await locks.take(connection, second)
        connection.writes.append(lambda: done.append(first))


def test_who_dies_waiting_for_a_lock_gives_up_what_it_holds_and_writes_nothing() -> None:
    scheduler, victim, done = Scheduler(NOW), Victim("Locks.take"), list[str]()
    locks = Locks(scheduler)
    pool: Any = Pool(locks, Calm())
    scheduler.spawn(write(pool, locks, done, "a", "c"), delay=SECOND // 2)
    victim.tasks.append(scheduler.spawn(write(pool, locks, done, "b", "a"), owner=victim))
    scheduler.spawn(write(pool, locks, done, "d", "b"), delay=1)
    scheduler.run()
    assert victim.fell == "Locks.take"
    assert done == ["a", "d"], "who held what the victim waited for, and who waited for what the victim held"
    assert locks.held == []


def test_who_dies_before_its_first_step_has_done_nothing() -> None:
    scheduler, victim, done = Scheduler(NOW), Victim("write"), list[str]()
    locks = Locks(scheduler)
    pool: Any = Pool(locks, Calm())
    victim.tasks.append(scheduler.spawn(write(pool, locks, done, "a", "b"), owner=victim))
    scheduler.run()
    assert (victim.fell, done, locks.held) == ("write", [], [])
