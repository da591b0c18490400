"""The router's pure part with plain values: the invented town, an instant, a request."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from deploy.local.town import ORGANISATION
from services.router.domain.life import Life
from services.router.service import ROUTER
from shared.delivery.service import Context
from shared.events import requests
from shared.organisation import Authority, load

REQUEST = UUID("01890000-0000-7000-8000-000000000001")
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A working day, 10:00 in Rivemont."""


def received(service: str | None = "voirie", **more: Any) -> requests.RequestReceived:
    """Return the first event of a request that is due in a week."""
    at = more.pop("at", MONDAY)
    promise = requests.Promise(
        code="ordinaire",
        kind="taking_charge",
        label="48 heures ouvrées",
        start_at=at,
        working_seconds=48 * 3600,
        warn_at=at + timedelta(days=5),
        due_at=at + timedelta(days=7),
        calendar="bureaux",
        calendar_version=1,
        ladder="ordinaire",
    )
    told = {
        "request_id": REQUEST, "authority": "rivemont", "at": at, "reference": "K7M2Q9XC", "channel": "web",
        "service": service, "category": "eclairage", "language": "fr", "demande": False, "promise": promise,
        "unowned_due_at": at + timedelta(hours=1), "sealed": "QUJD",
    }  # fmt: skip
    return requests.RequestReceived(**told | more)


@dataclass
class Desk:
    """A request between its events: `take` runs the router's step, as the shell does, an hour after the one before."""

    authority: Authority
    life: Life | None = None
    now: datetime = MONDAY
    said: list[BaseModel] = field(default_factory=list)

    def take(self, event: Any, *, fact: bool = False) -> tuple[Any, ...]:
        """Take an input; return the events that it led to."""
        change = ROUTER.step(self.life, event, Context(self.now, self.authority, REQUEST), fact=fact)
        self.life = change.state
        self.said += change.events
        self.now += timedelta(hours=1)
        return change.events

    @property
    def known(self) -> Life:
        """The life, once there is one."""
        assert self.life is not None
        return self.life


@pytest.fixture(scope="session")
def rivemont() -> Authority:
    """The invented town."""
    return load(ORGANISATION).authority("rivemont")


@pytest.fixture
def desk(rivemont: Authority) -> Desk:
    """A request that the service `voirie` owns."""
    desk = Desk(rivemont)
    desk.take(received(), fact=True)
    return desk
