"""A service with its copies: what they share (tables, faults that await their occasion) and who has which partition."""

from collections import Counter
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.delivery.core import Core
from shared.delivery.reader import Reader
from shared.delivery.relay import LOOK_SECONDS
from shared.delivery.service import Context, Service
from shared.delivery.store import Place
from shared.delivery.values import Input, Parked, RawRecord
from shared.events.base import Event
from shared.events.topics import TOPICS
from tests.simulation.connection import Locks
from tests.simulation.faults import Fault, Kind
from tests.simulation.parked import MemoryParked
from tests.simulation.scheduler import SECOND
from tests.simulation.store import Tables

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

_PARTITIONS = {topic.name: topic.partitions for topic in TOPICS}
LOOK = int(LOOK_SECONDS * SECOND)
CRASH_POINTS = frozenset({"acquire", "locked", "loaded", "before_commit"})


class Poisoned(Exception):
    """What a faulty version of a step raises."""


class SharedReader(Reader):
    """Decodes each record of a numbered topic once for all services: it is the same input for everybody."""

    def __init__(self, world: "World", *arguments: Any) -> None:
        super().__init__(*arguments)
        self._world = world

    def read(self, raw: RawRecord) -> Input | Parked:
        if raw.topic not in self._sequenced:
            return super().read(raw)
        shared = self._world.decoded
        known = shared.get(id(raw))
        if known is None or known[0] is not raw:
            known = shared[id(raw)] = raw, super().read(raw)
            self._world.written_down.compare(raw, known[1])
        return known[1]


class Group:
    """One service of the town."""

    def __init__(self, world: "World", service: Service[Any], random: Random) -> None:
        self.world = world
        self.name = service.name
        self.random = random
        self.poison: set[tuple[UUID, str]] = set()
        """(request, event) that the deployed version of the step stumbles over."""
        self.armed: list[Fault] = []
        """Faults whose instant has come, and whose occasion has not."""
        self._skipped: Counter[int] = Counter()
        self.away_until = 0
        self.away_by: Fault | None = None
        poisonable = any(fault.kind == "poison_step" and fault.service == self.name for fault in world.faults)
        self.service = replace(service, decide=self._stumbling(service)) if poisonable else service
        self.core: Core[Any] = Core(self.service)
        self.sequenced = frozenset(topic.name for topic in service.sequenced)
        reader = Reader(self.sequenced, {}, world.vault.reveal)
        parked = MemoryParked(self.name, read=reader.read_parked, hide=world.vault.hide, now=lambda: world.scheduler.now)
        locks = Locks(world.scheduler)
        self.tables: Tables[Any] = Tables(self.core, parked, world.rows, locks, lambda: world.scheduler.now)
        self.tables.on_queued = lambda: self.wake_relay(LOOK)
        self.processes: list[Process] = []
        self.owner: dict[Place, Process] = {}
        self.leader: Process | None = None
        self.relay_session = 0
        """Of the leader's relay; another number: the one before was ended."""

    def _stumbling(self, service: Service[Any]) -> Any:
        def decide(state: Any, event: Any, context: Context) -> Any:
            if isinstance(event, Event):
                what = (context.request_id, event.type_)
                fault = self.strike("poison_step")
                if fault is not None:
                    self.poison.add(what)
                    self.world.note(f"a new version of {self.name} stumbles over {event.type_}", context.request_id, fault)
                if what in self.poison:
                    raise Poisoned
            return service.decide(state, event, context)

        return decide

    # --- who reads what ----------------------------------------------------------------------------------------------

    def share_out(self, shift: int = 0) -> bool:
        """Give each partition to one of the living copies; what a former owner has in its hands it still has.

        Return whether one has another owner now.
        """
        alive = [process for process in self.processes if process.alive]
        before, self.owner = self.owner, {}
        for topic in self.service.consumes:
            for number in range(topic.partitions):
                place = topic.name, number
                if alive:
                    self.owner[place] = alive[(number + shift) % len(alive)]
        for process in alive:
            process.consumer.follow([place for place, owner in self.owner.items() if owner is process])
        return self.owner != before

    def begin(self) -> None:
        """Start all copies."""
        for process in self.processes:
            process.start()
        self.share_out()
        self.lead()

    def lead(self) -> None:
        """Have one of the living copies publish, if none does."""
        if self.leader is None:
            self.leader = next((process for process in self.processes if process.alive), None)
            self.wake_relay(0)

    def wake_relay(self, delay: int | None) -> None:
        """Say that there may be something to publish; None: as soon as word gets there."""
        if self.leader is not None:
            self.leader.wake_relay(delay)

    def is_away(self) -> bool:
        """Tell whether PostgreSQL is away; whoever asks needs it, and so meets the fault."""
        away = self.away_until > self.world.scheduler.now
        if away and self.away_by is not None:
            self.world.took_effect(self.away_by)
        return away

    # --- faults that wait for their occasion -------------------------------------------------------------------------

    def awaits(self, kind: Kind) -> bool:
        """Tell whether a fault of this kind is armed."""
        return any(fault.kind == kind for fault in self.armed)

    def strike(self, kind: Kind) -> Fault | None:
        """Return an armed fault of this kind whose turn has come: it takes effect, and is used up by it."""
        if (fault := self.use_up(kind)) is not None:
            self.world.took_effect(fault)
        return fault

    def use_up(self, kind: Kind) -> Fault | None:
        """Return an armed fault of this kind whose turn has come; whether it takes effect, only the caller sees."""
        for fault in self.armed:
            if fault.kind == kind:
                self._skipped[fault.number] += 1
                if self._skipped[fault.number] > fault.skip:
                    self.armed.remove(fault)
                    return fault
        return None
