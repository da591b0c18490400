"""The consumer's loop, told again: fetches what Kafka would hand out, in any order across partitions, and has it taken.

How a batch is taken, and how long to rest after it, is the shipped code's word.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from shared.delivery.consumer import REST_TIMES
from shared.delivery.errors import TooManyParked, Unavailable
from shared.delivery.pace import Pace
from shared.delivery.store import Place
from shared.delivery.values import RawRecord
from tests.simulation.faults import Fault
from tests.simulation.scheduler import MILLISECOND, MINUTE, SECOND, pause

if TYPE_CHECKING:
    from tests.simulation.process import Process

MOST_RECORDS = 500


class Consumer:
    """The consumer of one process, whatever life that is in."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._world = process.world
        self._group = process.group
        self._random = process.random
        self._held: dict[Place, tuple[int, Fault]] = {}
        """Until when nothing of a partition is handed out, and by which fault."""
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._fetched: dict[Place, int] = {}
        self._logs: Mapping[str, UUID] = {}
        self._dirty: dict[Place, None] = {}
        self._pace = Pace(self._group.service.pace_seconds, times=REST_TIMES)

    def begin(self) -> None:
        """Begin again with a process that begins."""
        self._begin_anew()
        self._task = self._process.spawn(self.serve())
        self._process.spawn(self._look())

    def follow(self, places: list[Place]) -> None:
        """Read these partitions from now on, from where they were left as far as this copy knows."""
        positions = self._group.tables.positions
        for place in places:
            self._fetched[place] = positions.get(place, 0)
            self.hear(place)

    def hear(self, place: Place) -> None:
        """Learn that a partition may hold something new."""
        self._dirty[place] = None
        if self._task.due is None:
            self._world.scheduler.wake(self._task, self._world.delay(self._random))

    async def look_at_the_log(self, delay: int) -> None:
        """See which log it is that is read; of another one than before, read from where PostgreSQL then says."""
        await pause(delay)
        if self._logs != self._world.log.identities():
            await self._look()

    async def _look(self) -> None:
        while True:
            logs = self._world.log.identities()
            try:
                await self._process.shell.positions.turn_back_replaced(logs)
            except Unavailable:
                await pause(SECOND)
                continue
            self._logs = logs
            for place, owner in self._group.owner.items():  # the shipped consumers see within a second where PostgreSQL stands
                owner.consumer.go_back(place, self._group.tables.positions.get(place, 0))
            return

    def go_back(self, place: Place, offset: int) -> bool:
        """Fetch from an earlier offset again; tell whether it is an earlier one."""
        if place not in self._fetched or self._group.owner.get(place) is not self._process:
            return False
        before, self._fetched[place] = self._fetched[place], offset
        self.hear(place)
        return offset < before

    def hold_back(self, place: Place, until: int, fault: Fault) -> None:
        """Get nothing of a partition for a while: others are read before it."""
        self._held[place] = until, fault

    def _is_held(self, place: Place) -> bool:
        """Tell whether nothing of a partition is handed out now; the fault took effect if there is something."""
        until, fault = self._held.get(place, (0, None))
        if until <= self._world.scheduler.now or fault is None:
            return False
        if self._world.log.end(place) > self._fetched.get(place, 0):
            self._world.took_effect(fault)
        return True

    def _fetch(self) -> dict[Place, list[RawRecord]]:
        """Return what Kafka hands out: of some of the partitions that have something, in any order."""
        log, owner = self._world.log, self._group.owner
        batch: dict[Place, list[RawRecord]] = {}
        places = list(self._dirty)
        room = MOST_RECORDS
        share = self._world.share
        for place in places:
            if owner.get(place) is not self._process:
                del self._dirty[place]
                continue
            if (self._held and self._is_held(place)) or (share < 1 and self._random.random() > share):
                continue
            records = log.read(place, self._fetched.get(place, 0), room)
            if len(records) < room:
                del self._dirty[place]
            if records:
                batch[place] = records
                self._fetched[place] = records[-1].offset + 1
                room -= len(records)
            if room <= 0:
                break
        return batch

    async def serve(self) -> None:
        """Fetch and take, for ever, with the rests of the shipped loop. First of all, ask which log it is."""
        self._logs = self._world.log.identities()
        await pause(self._world.delay(self._random))
        while True:
            batch, logs = self._fetch(), self._logs
            if not batch:
                await pause(self._until_next_look())
                continue
            if self._group.armed and (fault := self._group.use_up("zombie")):
                count = sum(map(len, batch.values()))
                self._world.note(f"{self._process.name} stalls with {count} records; a twin takes over", None, fault)
                if self._group.share_out(shift=1 + int(fault.where * 3)):
                    self._world.took_effect(fault)
                await pause(fault.size)
            began = self._world.scheduler.now
            behind = await self._take(batch, logs)
            if behind or logs != self._logs:  # it may be another log by now: the shipped loop looks again each second
                await self._look()
            await pause(int(SECOND * self._pace.rest((self._world.scheduler.now - began) / SECOND)))

    def _until_next_look(self) -> int | None:
        if not self._dirty:
            return None
        now = self._world.scheduler.now
        until = min(self._held[place][0] if place in self._held else 0 for place in self._dirty)
        return max(until - now, 0) + self._world.delay(self._random) + MILLISECOND

    async def _take(self, batch: dict[Place, list[RawRecord]], logs: Mapping[str, UUID]) -> bool:
        """Have it taken, however long that takes; tell whether some of it was not where we stand."""
        wait, positions = 50 * MILLISECOND, self._group.tables.positions
        while True:
            stood = {place: positions.get(place, 0) for place in batch}
            try:
                behind = await self._process.shell.take(batch, logs=logs)
                break
            except Unavailable:
                await pause(wait)
                wait = min(2 * wait, SECOND)
            except TooManyParked:
                await pause(MINUTE)
        self._tell({place: records for place, records in batch.items() if place not in behind}, stood, logs)
        if behind:
            await pause(50 * MILLISECOND)  # a seek asks the broker first where the log begins
        for place, position in behind.items():
            self.go_back(place, position)
        return bool(behind)

    def _tell(self, taken: dict[Place, list[RawRecord]], stood: dict[Place, int], logs: Mapping[str, UUID]) -> None:
        """Count what came of other orders than that of the log, of handing out again, and of former owners.

        `stood`: where the group had come to before.
        """
        world, owner = self._world, self._group.owner
        if again := [place for place, records in taken.items() if records[0].offset < stood[place]]:
            world.count("handed out again and passed over")
            if any(owner.get(place) is not self._process for place in again):
                world.count("passed over from a former owner")
        if self._held and logs == world.log.identities() and self._overtakes(taken, stood):
            world.count("taken before an earlier event of its request")

    def _overtakes(self, taken: dict[Place, list[RawRecord]], stood: dict[Place, int]) -> bool:
        """Tell whether something that is held back was written before what is taken now of the same request."""
        log, positions, now = self._world.log, self._group.tables.positions, self._world.scheduler.now
        earliest: dict[bytes | None, int] = {}
        for place, (until, _) in self._held.items():
            if until > now and place not in taken:
                for raw in log.read(place, positions.get(place, 0), MOST_RECORDS):
                    earliest[raw.key] = min(log.number(raw), earliest.get(raw.key, sys.maxsize))
        fresh = (raw for place, records in taken.items() for raw in records if raw.offset >= stood[place])
        return any(raw.key in earliest and log.number(raw) > earliest[raw.key] for raw in fresh)
