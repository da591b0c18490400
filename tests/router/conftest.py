"""The router: its pure part with plain values, and whole on a real PostgreSQL. Nobody answers at Kafka's address."""

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from pydantic import BaseModel

from deploy.local import ports
from deploy.local.town import ORGANISATION
from services.router.app import build
from services.router.domain.life import Life
from services.router.service import ROUTER
from services.router.settings import RouterSettings
from shared.actions.link import LIFETIME, Link, LinkAction, Links
from shared.app import App
from shared.clock import FileClock
from shared.db.migrate import migrate
from shared.db.rights import role_of
from shared.delivery.service import Context
from shared.delivery.values import Input
from shared.events import requests
from shared.events.content import Content
from shared.events.topics import SERVICES
from shared.organisation import Authority, load
from shared.vault.keys import DELETE_KEYS, INSERT_KEYS
from shared.vault.seal import RequestKey, Vault

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


# --- the router whole ----------------------------------------------------------------------------------------------------

KEYS = f"1:{base64.b64encode(bytes(range(32))).decode()}"
LINK_KEY = base64.b64encode(bytes(range(32, 64))).decode()
MAILBOX = "voirie@rivemont.example"
CONTENT = Content(
    name="Jeanne Rivoire",
    email="jeanne@example.org",
    phone="06 00 00 00 00",
    text="Bonjour,\nle lampadaire devant le 12 est éteint depuis lundi.",
    answers={"numero": "RL-0042"},
    tracking_token="t" * 22,
)


@dataclass
class Office:
    """The running router, and what stands around it: the keys that intake wrote, the links that the notifier sent."""

    app: App[Life]
    admin: asyncpg.Pool
    http: httpx.AsyncClient
    clock_file: Path
    url: str
    links: Links = field(default_factory=lambda: Links.from_text(LINK_KEY))
    vault: Vault = field(default_factory=lambda: Vault.from_text(KEYS))
    keys: dict[UUID, RequestKey] = field(default_factory=dict)
    sequences: dict[UUID, int] = field(default_factory=dict)

    async def receive(self, service: str | None = "voirie", content: Content = CONTENT, **more: Any) -> UUID:
        """Take in a new request."""
        request_id, authority = uuid4(), more.get("authority", "rivemont")
        key, wrapped = self.vault.new_key(request_id)
        self.keys[request_id] = key
        await self.admin.execute(INSERT_KEYS, [request_id], [authority], [wrapped])
        sealed = key.seal(request_id, content)
        await self.take(request_id, received(service, request_id=request_id, sealed=sealed, **more))
        return request_id

    async def take(self, request_id: UUID, event: Any) -> None:
        """Take a fact of requests.v1, as the consumer does."""
        self.sequences[request_id] = self.sequences.get(request_id, 0) + 1
        one = Input(request_id, event.authority, event, True, "requests.v1", self.sequences[request_id])
        (result,) = await self.app.shell.run([one], lane="test")
        assert result.kind == "done", result

    async def erase(self, request_id: UUID) -> None:
        """Destroy the key, and let the router know."""
        await self.admin.execute(DELETE_KEYS, [request_id])
        await self.take(request_id, requests.RequestErased(request_id=request_id, authority="rivemont", at=MONDAY))

    async def life(self, request_id: UUID) -> Life:
        """Return the state as it is stored."""
        life = await self.app.shell.find_state(request_id)
        assert life is not None
        return life

    def token(self, request_id: UUID, action: LinkAction, *, version: int = 2, **more: Any) -> str:
        """Return a link of a mail to the service's mailbox."""
        told: dict[str, Any] = {"authority": "rivemont", "agent": MAILBOX, "expires_at": self.app.clock.now() + LIFETIME} | more
        return self.links.mint(Link(request_id=request_id, action=action, version=version, **told))

    def set_clock(self, at: datetime) -> None:
        """Move the router's clock, which stands still."""
        FileClock.write(self.clock_file, shown=at, speed=0.0)
        time.sleep(0.03)  # it looks at the file every 20 ms

    async def everything(self) -> list[tuple[Any, ...]]:
        """Return every row that the router keeps."""
        tables = ("request", "assignment", "outbox", "inbox", "parked")
        return [tuple(row) for table in tables for row in await self.admin.fetch(f"SELECT t.* FROM router.{table} t ORDER BY t")]


@asynccontextmanager
async def office_on(admin_dsn: str, folder: Path, **settings: Any) -> AsyncIterator[Office]:
    """Run the router on a database of its own."""
    password = secrets.token_hex(8)
    dsns = {service: f"postgresql://{role_of(service)}:{password}@{admin_dsn.split('@', 1)[1]}" for service in SERVICES}
    await migrate(admin_dsn, dsns, lambda message: None)
    clock_file = folder / "clock.json"
    FileClock.write(clock_file, shown=MONDAY, speed=0.0)
    told: dict[str, Any] = {
        "kafka": f"127.0.0.1:{ports.free_port()}",
        "organisation": ORGANISATION,
        "clock_file": clock_file,
        "keys": KEYS,
        "link_key": LINK_KEY,
        "database": dsns["router"],
        "port": ports.free_port(),
    }
    app = await build(RouterSettings(**(told | settings)))
    app.shell.gate.trust()  # no Kafka here: nothing to compare the database with
    url = f"http://127.0.0.1:{app.settings.port}"
    stopping = asyncio.Event()
    serving = asyncio.create_task(app.serve(stopping))
    try:
        async with (
            asyncpg.create_pool(admin_dsn, min_size=0, max_size=2) as admin,
            httpx.AsyncClient(base_url=url, trust_env=False, headers={"accept-language": "fr"}, timeout=30) as http,
        ):
            await _answering(http)
            yield Office(app, admin, http, clock_file, url)
    finally:
        stopping.set()
        await serving


async def _answering(http: httpx.AsyncClient) -> None:
    for _ in range(200):
        try:
            await http.get("/live")
            return
        except httpx.TransportError:
            await asyncio.sleep(0.02)
    raise AssertionError("the router does not answer")


@pytest.fixture(scope="module")
async def module_office(module_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """The router, shared by one module's tests."""
    async with office_on(module_database, tmp_path_factory.mktemp("router")) as office:
        yield office


@pytest.fixture
def office(module_office: Office) -> Office:
    """The router, on a Monday at ten."""
    module_office.set_clock(MONDAY)
    module_office.http.cookies.clear()
    return module_office
