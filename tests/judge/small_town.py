"""A town in memory without any fault: the five services' steps, a log, a sink. What the checker must have no word against."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from deploy.local.town import ORGANISATION
from services.intake.domain.announcement import announce
from services.intake.domain.command import SubmitRequest
from services.notifier.domain.step import LetterSent
from services.sla.domain.step import Tick
from shared.delivery.core import Core
from shared.delivery.service import Context
from shared.delivery.tables import counters
from shared.delivery.values import Input, Known, Outgoing, Result
from shared.events.envelope import TYPES
from shared.events.inbound import Submission
from shared.events.topics import SERVICES, TOPICS
from shared.organisation import load
from tests.judge.evidence import Evidence, History, Mail, Record
from tests.judge.states import ALL
from tests.judge.tables import TABLES

AUTHORITY: Final = load(ORGANISATION).authority("rivemont")
MONDAY: Final = datetime(2026, 11, 23, 9, 30, 12, 345678, tzinfo=UTC)
_COLUMNS: Final = {
    "tracking": (
        "intake.tracking",
        ("request_id", "authority", "reference", "token_digest", "status", "received_at", "closed_at"),
    ),
    "assignment": (
        "router.assignment",
        ("request_id", "authority", "reference", "service", "status", "reason", "version", "due_at", "changed_at"),
    ),
    "save_deadline": ("sla.deadline", ("request_id", "promise", "what", "due_at", "authority")),
    "save_letter": ("notifier.letter", ("request_id", "name", "authority", "kind", "recipient", "service")),
}


class SmallTown:
    """Everything is taken at once, by every service, as soon as it is said."""

    def __init__(self) -> None:
        self.now = MONDAY
        self.history = History(skews=dict.fromkeys(SERVICES, timedelta()))
        self.sink: list[Mail] = []
        self.log: list[Outgoing] = []
        self.keys: set[UUID] = set()
        self._cores: dict[str, Core[Any]] = {service.name: Core(service) for service in ALL}
        self._known: dict[str, dict[UUID, Known[Any]]] = {name: {} for name in SERVICES}
        self._created: dict[int, datetime] = {}
        self._taken: dict[str, int] = dict.fromkeys(SERVICES, 0)

    def post(self, number: int, service: str = "voirie") -> UUID:
        """Have a usager ask something; return the request."""
        request_id = UUID(int=(7 << 76) | (2 << 62) | number)
        told = {"channel": "app", "service": service, "email": "u@courriel.example", "text": "Le banc est cassé."}
        submission = Submission(authority=AUTHORITY.code, **told)
        announced = announce(submission, AUTHORITY, self.now)
        command = SubmitRequest(
            reference=f"REF{number}",
            token_digest=f"{number:064x}",
            channel=submission.channel,
            service=submission.service,
            category=submission.category,
            language="fr",
            demande=announced.demande,
            received_at=self.now,
            promise=announced.promise,
            unowned_due_at=announced.unowned_due_at,
            sealed=f"sealed-content-{number}",
        )
        self.keys.add(request_id)
        self.history.accepted.add(request_id)
        self.act("intake", request_id, command)
        return request_id

    def act(self, service: str, request_id: UUID, command: Any) -> Result[Any]:  # Any: a command, a state
        """Have a service decide on a command, and everybody hear of it."""
        (result,) = self._fold(service, [Input(request_id, AUTHORITY.code, command)])
        self._spread()
        return result

    def wait_until(self, until: datetime) -> None:
        """Let time pass: each deadline is told at its instant."""
        while due := sorted(
            (deadline.at, request_id, promise, deadline.what)
            for request_id, known in self._known["sla"].items()
            for promise in ("taking_charge", "unowned")
            if known.state is not None and (deadline := known.state.deadline(promise)) is not None and deadline.at <= until
        ):
            self.now, request_id, promise, what = due[0]
            self.act("sla", request_id, Tick(promise=promise, what=what))
        self.now = until

    def send_mails(self) -> None:
        """Send every letter that is due."""
        for request_id, known in list(self._known["notifier"].items()):
            for name in list(known.state.due_letters if known.state is not None else ()):
                self.sink.append(Mail(f"<{name}.{request_id}@rivemont.example>", self.now))
                self.act("notifier", request_id, LetterSent(name, 1))

    def _fold(self, service: str, inputs: list[Input]) -> list[Result[Any]]:
        core, known = self._cores[service], self._known[service]
        folded = core.fold(inputs, known, {}, lambda _, request_id: Context(self.now, AUTHORITY, request_id))
        for one in folded.saved:
            known[one.request_id] = Known(core.codec.decode(one.state), one.revision, list(one.seen), list(one.sent))
        for out in folded.outbox:
            self._created[len(self.log)] = self.now
            self.log.append(out)
        return folded.results

    def _spread(self) -> None:
        while behind := [name for name in SERVICES if self._taken[name] < len(self.log)]:
            service = behind[0]
            one = self.log[self._taken[service]]
            self._taken[service] += 1
            if one.topic in {topic.name for topic in self._cores[service].service.sequenced}:
                event: Any = TYPES[one.type].model_validate_json(one.value or b"")
                self._fold(service, [Input(event.request_id, event.authority, event, True, one.topic, one.sequence)])

    def evidence(self) -> Evidence:
        """Return all that can be seen of the town."""
        rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
        cells: dict[str, Counter[tuple[Any, ...]]] = defaultdict(Counter)
        for service in ALL:
            core = self._cores[service.name]
            for request_id, known in self._known[service.name].items():
                counts = zip([name for part in counters(service) for name in part], [*known.seen, *known.sent], strict=True)
                state = core.codec.encode(known.state)
                rows[f"{service.name}.request"].append({"request_id": request_id, "held": False, "state": state} | dict(counts))
                for statement, values in service.project(request_id, None, known.state):
                    if statement.name in _COLUMNS:
                        table, columns = _COLUMNS[statement.name]
                        rows[table].append(dict(zip(columns, values, strict=True)))
                    elif statement.name in ("move_cell", "add_duration"):
                        cells[statement.name][values[:-1]] += values[-1]
        for name, table in (("move_cell", "stats.cell"), ("add_duration", "stats.duration")):
            columns = TABLES[table]
            rows[table] = [dict(zip(columns, (*key, amount), strict=True)) for key, amount in cells[name].items() if amount]
        rows["vault.request_key"] = [{"request_id": one} for one in self.keys]
        ends = Counter((one.topic, 0) for one in self.log)
        for topic in TOPICS:
            for consumer in topic.consumers:
                if consumer in SERVICES and ends[topic.name, 0]:
                    place = {"topic": topic.name, "partition": 0, "next_offset": ends[topic.name, 0]}
                    rows[f"{consumer}.position"].append(place)
        log = []
        for number, one in enumerate(self.log):
            assert one.request_id is not None and one.sequence is not None and one.value is not None
            data = msgspec.json.decode(one.value)
            log.append(Record(one.topic, one.request_id, one.sequence, one.type, data, one.value))
            producer = next(topic.producer for topic in TOPICS if topic.name == one.topic)
            row = {name: getattr(one, name) for name in ("request_id", "topic", "sequence", "type", "value")}
            rows[f"{producer}.outbox"].append(row | {"created_at": self._created[number], "published_at": self.now})
        return Evidence(log, rows, list(self.sink), +ends, [], {AUTHORITY.code: (AUTHORITY,)})
