"""The life of one request as the sla sees it, told with plain values."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

from deploy.local.town import ORGANISATION
from services.sla.domain.clocks import CLOCKS, Clocks
from services.sla.domain.step import Tick
from services.sla.service import SLA
from shared.delivery.service import Context
from shared.events import handling, requests
from shared.events.escalations import ClockName, EscalationEvent
from shared.organisation import load

L = TypeVar("L", bound=handling.LifeEvent)
TOWN = load(ORGANISATION).authority("rivemont")
REQUEST = UUID("01890000-0000-7000-8000-000000000001")
RECEIVED = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # a Monday, 9 h in Rivemont
HOUR = timedelta(hours=1)
OFFICE = TOWN.calendars["bureaux"]
WARN = OFFICE.due(RECEIVED, 36 * 3600)
DUE = OFFICE.due(RECEIVED, 48 * 3600)
UNOWNED_DUE = TOWN.calendars["accueil"].due(RECEIVED, 30 * 60)


def received(**changed: Any) -> requests.RequestReceived:
    promise = requests.Promise(
        code="defaut",
        kind="taking_charge",
        label="48 heures",
        start_at=RECEIVED,
        working_seconds=48 * 3600,
        warn_at=WARN,
        due_at=DUE,
        calendar="bureaux",
        calendar_version=OFFICE.calendar.version,
        ladder=changed.pop("ladder", "ordinaire"),
    )
    told: dict[str, Any] = {
        "request_id": REQUEST,
        "authority": "rivemont",
        "at": RECEIVED,
        "reference": "K7M2Q9XC",
        "channel": "web",
        "service": "urbanisme",
        "category": None,
        "language": "fr",
        "demande": False,
        "promise": promise,
        "unowned_due_at": UNOWNED_DUE,
        "sealed": "AAAA",
    }
    return requests.RequestReceived(**told | changed)


def life(kind: type[L], status: str, service: str | None, **more: Any) -> L:
    told: dict[str, Any] = {
        "request_id": REQUEST,
        "authority": "rivemont",
        "at": RECEIVED,
        "version": 1,
        "status": status,
        "service": service,
    }
    return kind(**told | more)


def assigned(service: str = "urbanisme") -> handling.LifeEvent:
    return life(handling.RequestAssigned, "assigned", service, reason="chosen")


def transferred(service: str, from_service: str = "urbanisme") -> handling.LifeEvent:
    return life(handling.RequestTransferred, "assigned", service, from_service=from_service, reason="agent")


def taken(service: str = "urbanisme") -> handling.LifeEvent:
    times: dict[str, Any] = {"received_at": RECEIVED, "due_at": DUE, "elapsed_working_seconds": 60}
    return life(handling.TakenInCharge, "in_charge", service, **times)


def withdrawn() -> handling.LifeEvent:
    return life(handling.RequestWithdrawn, "withdrawn", None)


def reopened(service: str = "urbanisme") -> handling.LifeEvent:
    return life(handling.RequestReopened, "assigned", service)


def forgotten() -> handling.LifeEvent:
    return life(handling.RequestForgotten, "erased", None)


def erased() -> requests.RequestErased:
    return requests.RequestErased(request_id=REQUEST, authority="rivemont", at=RECEIVED)


@dataclass
class Story:
    """Facts come, the clock moves, and whatever is due is ticked, as the ticker does it."""

    now: datetime = RECEIVED
    state: Clocks | None = None
    said: list[EscalationEvent] = field(default_factory=list)

    def read(self, *facts: BaseModel) -> "Story":
        for fact in facts:
            self._step(fact, fact=True)
        return self

    def tick(self, promise: ClockName, what: str) -> list[EscalationEvent]:
        """Tick whether it is due or not; return what is said."""
        return self._step(Tick(promise=promise, what=what), fact=False)

    def wait_until(self, at: datetime) -> "Story":
        """Move the clock in one jump and tick until nothing is due."""
        self.now = max(self.now, at)
        while due := [(one, p) for p in CLOCKS if self.state and (one := self.state.deadline(p)) and one.at <= self.now]:
            deadline, promise = min(due, key=lambda pair: pair[0].at)
            self.tick(promise, deadline.what)
        return self

    def _step(self, event: BaseModel, *, fact: bool) -> list[EscalationEvent]:
        change = SLA.step(self.state, event, Context(self.now, TOWN, REQUEST), fact=fact)
        self.state = change.state
        said = [event for event in change.events if isinstance(event, EscalationEvent)]
        self.said += said
        return said

    @property
    def told(self) -> list[tuple[str, str]]:
        """What was said, in short: ("taking_charge", "warned")..."""
        return [(event.promise, name_of(event)) for event in self.said]


def name_of(event: EscalationEvent) -> str:
    level = getattr(event, "level", None)
    return f"level {level}" if level else event.type_.split(".")[-2]
