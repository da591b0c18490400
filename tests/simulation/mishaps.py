"""What faults do that need no occasion, and the arming of those that do.

A fault has happened when it took effect: where that shows at once, it is counted here; else whoever meets it counts it.
"""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from tests.simulation.faults import Fault
from tests.simulation.installations import changed, shipped
from tests.simulation.process import Process
from tests.simulation.scheduler import MINUTE, SECOND, instant, pause

if TYPE_CHECKING:
    from tests.simulation.group import Group
    from tests.simulation.world import World

IMMEDIATE = frozenset({
    "database_away", "rebalance", "redelivery", "reordering", "clock_jump", "clock_skew", "reload", "garbage", "lost_log",
    "mail_away", "mail_delay",
})  # fmt: skip
GARBAGE: tuple[tuple[tuple[tuple[str, bytes], ...], bytes | None], ...] = (
    ((), b"\xff\x00garbage"),
    ((("ce_specversion", b"1.0"), ("ce_type", b"fr.aiguilleur.of.nothing.v9"), ("ce_source", b"x"), ("ce_id", b"1")), b"{}"),
    ((("content-type", b"application/cloudevents+json"),), b'{"data": 1}'),
    ((), None),
)


class Mishaps:
    """Brings about the planned faults."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def strike(self, fault: Fault) -> None:
        """Wait for the fault's instant, then bring it about or lay it in wait."""
        world = self._world
        await pause(max(0, fault.at - world.scheduler.now))
        group = world.groups[fault.service]
        if fault.kind not in IMMEDIATE:
            group.armed.append(fault)
            return
        await getattr(self, f"_{fault.kind}")(fault, group)

    async def _database_away(self, fault: Fault, group: "Group") -> None:
        self._world.note(f"PostgreSQL is away for {group.name} for {fault.size / SECOND:.1f} s", None, fault)
        until = self._world.scheduler.now + fault.size
        if until > group.away_until:
            group.away_until, group.away_by = until, fault

    async def _rebalance(self, fault: Fault, group: "Group") -> None:
        self._world.note(f"the partitions of {group.name} are given out anew", None, fault)
        if group.share_out(shift=1 + int(fault.where * 5)):
            self._world.took_effect(fault)

    async def _redelivery(self, fault: Fault, group: "Group") -> None:
        """The group's committed offsets lie behind: what was taken is handed out again."""
        self._world.note(f"{group.name} is handed out again what it had", None, fault)
        for place, owner in group.owner.items():
            position = group.tables.positions.get(place, 0)
            if owner.consumer.go_back(place, int(position * fault.where)):
                self._world.took_effect(fault)

    async def _reordering(self, fault: Fault, group: "Group") -> None:
        """A topic, or one partition of it, comes later than the others."""
        world = self._world
        topic = group.service.consumes[int(fault.where * len(group.service.consumes))]
        world.note(f"{group.name} hears nothing of {topic.name} for {fault.size / SECOND:.1f} s", None, fault)
        for (name, number), owner in group.owner.items():
            if name == topic.name and (fault.skip or number == fault.number % topic.partitions):
                owner.consumer.hold_back((name, number), world.scheduler.now + fault.size, fault)

    async def _clock_skew(self, fault: Fault, group: "Group") -> None:
        process = self._one_of(group, fault)
        self._world.note(f"the clock of {process.name} is off by {fault.size / SECOND:.1f} s", None, fault)
        self._put_off(process, fault.size)
        process.wrong_clock.append(fault)

    async def _clock_jump(self, fault: Fault, group: "Group") -> None:
        process = self._one_of(group, fault)
        self._world.note(f"the clock of {process.name} jumps by {fault.size / SECOND:.0f} s", None, fault)
        self._put_off(process, process.skew + fault.size)
        process.wrong_clock.append(fault)
        for task in process.loops:
            self._world.scheduler.wake(task)
        await pause(int(fault.where * 30 * MINUTE))
        self._put_off(process, process.skew - fault.size)
        if fault in process.wrong_clock:  # nobody looked at it in all that time
            process.wrong_clock.remove(fault)

    def _put_off(self, process: Process, skew: int) -> None:
        """Have a clock be off by so much from now on."""
        process.skew = skew
        most, name = self._world.history.skews, process.group.name
        assert most is not None, "a town of the simulation knows its clocks"
        most[name] = max(most[name], abs(timedelta(microseconds=skew)))

    async def _reload(self, fault: Fault, _group: "Group") -> None:
        """The files change; each copy reads them a little later."""
        world = self._world
        world.note("the organisation is changed", None, fault)
        world.history.reloads.append(instant(world.scheduler.now))
        world.installation = changed() if world.installation is shipped() else shipped()
        for group in world.groups.values():
            for process in group.processes:
                world.scheduler.spawn(self._read_anew(process, int(fault.where * MINUTE * (1 + process.random.random())), fault))

    async def _read_anew(self, process: Process, delay: int, fault: Fault) -> None:
        await pause(delay)
        if process.alive and process.organisation.current is not self._world.installation:
            self._world.took_effect(fault)
        process.organisation.current = self._world.installation

    async def _garbage(self, fault: Fault, _group: "Group") -> None:
        """Somebody writes what is no event, into a topic that is open or into one that is not."""
        topics = ("intake.inbound.v1", "commands.v1", "requests.v1", "handling.v1")
        headers, value = GARBAGE[fault.number % len(GARBAGE)]
        topic = topics[int(fault.where * len(topics))]
        self._world.note(f"somebody writes garbage into {topic}", None, fault)
        self._world.log.append(topic, str(UUID(int=fault.number)).encode(), headers, value)
        self._world.took_effect(fault)

    async def _lost_log(self, fault: Fault, _group: "Group") -> None:
        """Kafka's disks are gone, and the topics made anew. Services run on, or were stopped first; archives are published again.

        A copy that has records of the lost log in its hands may go on when others have long begun to read the new one.
        """
        world, stopped = self._world, fault.number % 2 == 0
        world.note(f"the whole log is lost, while services {'are stopped' if stopped else 'run on'}", None, fault)
        processes = [process for group in world.groups.values() for process in group.processes if process.alive]
        for process in processes if stopped else ():
            process.die()
        if any(world.log.all()):
            world.took_effect(fault)
        world.log.lose()
        world.decoded.clear()
        for process in processes if not stopped else ():
            process.spawn(process.consumer.look_at_the_log(int(2 * SECOND * process.random.random())))
        world.republish(None)

    async def _mail_away(self, fault: Fault, _group: "Group") -> None:
        self._world.note(f"the mail server is away for {fault.size / MINUTE:.0f} min", None, fault)
        self._world.mail.away_until, self._world.mail.away_by = self._world.scheduler.now + fault.size, fault

    async def _mail_delay(self, fault: Fault, _group: "Group") -> None:
        self._world.note(f"the mail server puts everything off for {fault.size / MINUTE:.0f} min", None, fault)
        self._world.mail.delaying_until, self._world.mail.delaying_by = self._world.scheduler.now + fault.size, fault

    @staticmethod
    def _one_of(group: "Group", fault: Fault) -> Process:
        return group.processes[int(fault.where * len(group.processes))]
