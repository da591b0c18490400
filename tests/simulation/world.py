"""A town: five services in several copies, a log, mail servers, and everybody who uses them. All of it follows from a seed."""

from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping
from datetime import timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from services.intake.service import INTAKE
from services.intake.submission import Acceptance
from services.notifier.service import NOTIFIER
from services.router.admission import admit_command
from services.router.service import ROUTER
from services.sla.service import SLA
from services.stats.service import STATS
from shared.delivery.reader import Admission
from shared.delivery.relay import ARCHIVE_DAYS
from shared.delivery.store import Place
from shared.delivery.values import Input, Outgoing, Parked, RawRecord, Result
from shared.organisation import Installation
from tests.judge.evidence import History
from tests.simulation.agenda import Agenda
from tests.simulation.agents import Agents
from tests.simulation.faults import Fault, plan
from tests.simulation.group import Group
from tests.simulation.installations import shipped, submissions
from tests.simulation.log import Log
from tests.simulation.mail import Envelope, MailServer
from tests.simulation.mishaps import Mishaps
from tests.simulation.operator import Operator
from tests.simulation.process import Process
from tests.simulation.rows import Due, Key, OwnRows
from tests.simulation.scheduler import DAY, Scheduler, pause
from tests.simulation.sending import CONNECTIONS, MemorySender
from tests.simulation.settings import Settings
from tests.simulation.software import work
from tests.simulation.ticking import tick
from tests.simulation.usagers import Usager
from tests.simulation.vault import MemoryVault
from tests.simulation.written import Written

PURE: Final = (INTAKE, ROUTER, SLA, NOTIFIER, STATS)


class World:
    """Everything of one seed. `story` makes it remember who did what, which costs time."""

    def __init__(self, settings: Settings, *, story: bool = False) -> None:
        self.settings = settings
        self.seed = settings.seed
        random = self.random_for("world")
        self.spread, self.latency, self.slow, self.share, self.forgetful = settings.temper(random)
        self.scheduler = Scheduler(settings.start(random))
        self.scheduler.most_steps = 100_000 + 2_000 * settings.requests
        self.began = self.scheduler.now
        self.story: list[tuple[int, str, UUID | None, Fault | None]] | None = [] if story else None
        self.installation: Installation = shipped()
        self.submissions = submissions()
        self.history = History(acts=[], erasures={}, skews={one.name: timedelta() for one in PURE})
        self.found_wrong: list[str] = []
        self.happened: Counter[str] = Counter()
        """Faults that took effect, by kind."""
        self._effective: set[int] = set()
        self.told: Counter[tuple[str, str]] = Counter()
        """What services logged: (service, event)."""
        self.done: Counter[str] = Counter()
        self.vault = MemoryVault()
        self.rows = OwnRows(self.vault.keys)
        self.log = Log()
        self.log.on_append = self._appended
        self.written_down = Written()
        self.decoded: dict[int, tuple[RawRecord, Input | Parked]] = {}
        self.letters = Agenda(self.rows.letter, lambda: self.scheduler.now)
        self.deadlines = Agenda(self.rows.deadline, lambda: self.scheduler.now)
        self.rows.on_letter, self.rows.on_deadline = self._letter, self._deadline
        self.requests: dict[UUID, str] = {}
        """Accepted requests, and how good the usager's address is."""
        self.born: set[UUID] = set()
        self.adapted: dict[str, int] = {}
        """What adapters handed over, by CloudEvents id, and into which log."""
        self.losses: dict[tuple[str, UUID, int], Fault] = {}
        """Events that are not in the log, or cannot be read there, and have not been published again yet."""
        self.told_gaps: set[tuple[str, UUID, int]] = set()
        """Lost events that some reader told as a gap."""
        self.unnoticed: set[tuple[str, UUID, int]] = set()
        """Lost events that nobody had missed when all had come to rest: no later one of their request and topic was there."""
        self.over = False
        """Whether nobody begins anything any more."""
        self.written: set[tuple[str, UUID, int]] = set()
        """Events that were in the log at some time, where some are to be lost."""
        everything = plan(random, start=self.began, spread=self.spread, strength=settings.strength)
        self.faults = [fault for fault in everything if settings.wants(fault)]
        self.losing = any(fault.kind in ("lost_event", "poison_bytes", "lost_log") for fault in self.faults)
        self.groups: dict[str, Group] = {one.name: Group(self, one, self.random_for(one.name)) for one in PURE}
        self.mail = MailServer(self, self.random_for("mail"))
        self.agents = Agents(self)
        self.operator = Operator(self, self.random_for("operator"))
        self.mishaps = Mishaps(self)
        for group in self.groups.values():
            for number in range(random.choice(settings.copies)):
                group.processes.append(Process(group, number))
        self._ids = 0
        self._turn = 0
        self._id_random = self.random_for("ids")

    # --- running -----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the services and everybody's plans."""
        for group in self.groups.values():
            group.begin()
        for number in range(self.settings.requests):
            if self.settings.has_usager(number):
                usager = Usager(self, number, self.random_for(f"usager {number}"))
                self.scheduler.spawn(usager.live())
        for number in range(int(self.settings.requests * self.settings.commands)):
            if self.settings.has_usager(number):
                self.scheduler.spawn(work(self, number, self.random_for(f"software {number}")))
        for fault in self.faults:
            self.scheduler.spawn(self.mishaps.strike(fault))

    def random_for(self, name: str) -> Random:
        """Return the stream of somebody's draws: what one does leaves those of the others as they are."""
        return Random(f"{self.seed}/{name}")

    def delay(self, random: Random) -> int:
        """Draw how long something takes to be heard of."""
        return int(random.expovariate(1.0) * self.latency)

    def references(self) -> Iterator[str]:
        """Give references that no seed repeats within itself."""
        number = 0
        while True:
            number += 1
            text = f"{number:09d}"
            yield f"{text[:3]}-{text[3:6]}-{text[6:]}"

    def new(self) -> UUID:
        """Return a request id in the form of UUIDv7, from the seed."""
        self._ids = max(self._ids + 1, self.scheduler.now // 1000)
        return UUID(int=self._ids << 80 | 7 << 76 | 1 << 63 | self._id_random.getrandbits(62))

    # --- who is asked ------------------------------------------------------------------------------------------------

    def any_of(self, service: str, random: Random) -> Process | None:
        """Return a living copy of a service, None when there is none."""
        alive = [process for process in self.groups[service].processes if process.alive]
        return random.choice(alive) if alive else None

    async def ask(self, process: Process | None, one: Input) -> Result[Any] | None:
        """Give an input to a copy of a service and return its answer; None when there was none."""
        task = self.scheduler.current
        if process is None or not process.alive or task is None:
            return None
        box = process.submit(one, task)
        while not box.finished:
            await pause(None)
        return box.result

    def admissions_of(self, process: Process) -> Mapping[str, Admission]:
        """Return how a copy takes in what is open to others."""
        match process.group.name:
            case "intake":
                process.acceptance = Acceptance(organisation=process.organisation, clock=process, vault=self.vault)  # type: ignore[arg-type]  # stand for the shipped ones
                process.acceptance._ids = self  # type: ignore[assignment]  # makes ids
                return {"intake.inbound.v1": process.acceptance.admit}
            case "router":
                return {"commands.v1": admit_command}
            case _:
                return {}

    def loops_of(self, process: Process) -> list[Coroutine[Any, None, None]]:
        """Return what a copy does besides the log and local inputs."""
        match process.group.name:
            case "sla":
                return [tick(process)]
            case "notifier":
                sender = MemorySender(process)
                return [sender.serve(number) for number in range(CONNECTIONS)]
            case _:
                return []

    # --- what is heard of --------------------------------------------------------------------------------------------

    def _appended(self, place: Place) -> None:
        for group in self.groups.values():
            owner = group.owner.get(place)
            if owner is not None:
                owner.consumer.hear(place)

    def _letter(self, key: Key, row: Due) -> None:
        self.letters.add(key, row)
        self._wake_loops("notifier", 0)

    def _deadline(self, key: Key, row: Due) -> None:
        self.deadlines.add(key, row)
        self._wake_loops("sla", row.due - self.scheduler.now)

    def _wake_loops(self, service: str, delay: int) -> None:
        loops = [(process, task) for process in self.groups[service].processes if process.alive for task in process.loops]
        if loops:
            self._turn += 1
            process, task = loops[self._turn % len(loops)]  # the others look when their own next row is due, or their lease over
            self.scheduler.wake(task, max(0, delay - process.skew) + self.delay(process.random))

    def accepted(self, request_id: UUID, address: str) -> None:
        """A request was answered 2xx."""
        if request_id not in self.requests:
            self.requests[request_id] = address
        self.history.accepted.add(request_id)

    def address_of(self, request_id: UUID) -> str:
        """Return how good the address of a usager is."""
        return self.requests.get(request_id, "good")

    def took_effect(self, fault: Fault) -> None:
        """Count a fault among those that happened, the first time that somebody meets it."""
        if fault.number not in self._effective:
            self._effective.add(fault.number)
            self.happened[fault.kind] += 1

    def count(self, what: str) -> None:
        """Count that something was done by somebody."""
        self.done[what] += 1

    def note(self, what: str, request_id: UUID | None, fault: Fault | None = None) -> None:
        """Remember what happened, for the story."""
        if self.story is not None:
            self.story.append((self.scheduler.now, what, request_id, fault))

    def violate(self, what: str) -> None:
        """Note a broken invariant, once."""
        if what in self.found_wrong:
            return
        self.found_wrong.append(what)
        self.note(f"BROKEN: {what}", None)

    # --- losses and repairs ------------------------------------------------------------------------------------------

    def lose(self, one: Outgoing, fault: Fault) -> None:
        """The broker lost an event that it had acknowledged."""
        self._miss(one, fault)
        self.note(f"the broker loses {one.type} ({one.topic} {one.sequence})", one.request_id, fault)

    def spoil(self, one: Outgoing, fault: Fault) -> bytes:
        """Return other bytes than were to be written."""
        assert one.value is not None, "only events are spoilt"
        self._miss(one, fault)
        self.history.spoilt[one.topic] += 1
        self.note(f"the bytes of {one.type} ({one.topic} {one.sequence}) are spoilt in the log", one.request_id, fault)
        ways = (one.value[: len(one.value) // 2], b"\0" + one.value, b"", one.value.replace(b'"at"', b'"\xff"'))
        return ways[int(fault.where * len(ways))]

    def _miss(self, one: Outgoing, fault: Fault) -> None:
        assert one.request_id is not None and one.sequence is not None, "only events are lost or spoilt"
        name = (one.topic, one.request_id, one.sequence)
        if (before := self.losses.get(name)) is not None and before.kind == "lost_event":
            self.count("lost event: lost or spoilt once more")
        self.losses[name] = fault
        self.history.disordered.add(name[:2])

    def found(self, one: Outgoing, *, whole: bool) -> None:
        """An event is in the log (again)."""
        if whole and one.request_id is not None and one.sequence is not None:
            name = (one.topic, one.request_id, one.sequence)
            self.written.add(name)
            if (fault := self.losses.pop(name, None)) is not None and fault.kind == "lost_event":
                self.count(self._how_found(name))

    def _how_found(self, name: tuple[str, UUID, int]) -> str:
        if name in self.told_gaps:
            return "lost event: seen as a gap"
        return "lost event: the last of its request" if name in self.unnoticed else "lost event: published again before the next"

    def republish(self, request_id: UUID | None) -> int:
        """Have the relays publish archived events again: `aiguilleur republish`, of one request or of all."""
        oldest, count = self.scheduler.now - ARCHIVE_DAYS * DAY, 0
        for group in self.groups.values():
            group.relay_session += 1
            for row in group.tables.outbox:
                mine = request_id is None or row.outgoing.request_id == request_id
                if mine and row.published_at is not None and row.outgoing.sequence is not None and row.created_at > oldest:
                    row.published_at = None
                    group.tables.pending[row.id] = row
                    count += 1
            group.wake_relay(0)
        self.count("operator: republished")
        self.note(f"the operator publishes {count} archived events again", request_id)
        return count

    def close(self) -> None:
        """Settle what only the end tells: what adapters handed over is there, once, unless the log was lost with it."""
        intake = self.groups["intake"].tables
        self.history.unnoted, self.history.refused_mails = self.mail.unnoted, self.mail.refused
        self.history.addressless = {one for one, address in self.requests.items() if address == "none"}
        self.history.log_lost = self.log.lives > 1
        assert self.history.acts is not None, "the world counts acts"
        self.history.acts += self.agents.clicks.acts()
        for name, life in self.adapted.items():
            taken = intake.inbox.get(("/adapter/mastodon", name))
            if taken is not None:
                self.history.accepted.add(taken[1])
            elif life == self.log.lives:
                self.violate(f"1 lost: intake never took what an adapter handed over as {name}")
        for line in self.mail.mistold_bounces():
            self.violate(line)

    def check_mail(self, mail: Envelope) -> None:
        """A mail leaves: what it tells was committed before."""
        known = self.groups["notifier"].tables.state(mail.request_id)
        wanted = known is not None and (mail.name in known.letters or mail.name in known.done or known.erased)
        if not wanted:
            self.violate(f"9 too early: {mail.name} of {mail.request_id} is sent, and nothing committed wants it")
        self.note(f"a mail arrives: {mail.name} for {mail.mailbox or 'the usager'}", mail.request_id)
