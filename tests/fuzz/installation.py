"""The services that have pages or an API, whole, on a real PostgreSQL, with one request that all of them know.

Nobody answers at Kafka's address: what one service says is handed to the others here.
"""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from pydantic import BaseModel

from deploy.local import ports
from deploy.local.town import ORGANISATION
from services.intake.app import build as build_intake
from services.router.app import build as build_router
from services.sla.app import build as build_sla
from services.stats.app import build as build_stats
from shared.actions.link import LIFETIME, Link, LinkAction, Links
from shared.app import App, Build
from shared.clock import FileClock
from shared.db.migrate import migrate
from shared.db.rights import role_of
from shared.delivery.values import Input
from shared.events.topics import SERVICES, TOPICS
from tests.architecture.settings import settings_of

PASSWORD = secrets.token_hex(8)
"""Of all installations of a run: roles belong to the server, and one that lasts may connect again after others were opened."""
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
"""A Tuesday, noon in Rivemont."""
BUILDS: dict[str, Build] = {"intake": build_intake, "router": build_router, "sla": build_sla, "stats": build_stats}
_TYPES: dict[str, type[BaseModel]] = {cls.type_: cls for topic in TOPICS for cls in topic.types}  # type: ignore[attr-defined]  # event classes have one
LINK_KEY = base64.b64encode(bytes(range(32, 64))).decode()


@dataclass(frozen=True)
class Handed:
    """A request that was handed over, and what opens it."""

    request_id: UUID
    tracking_token: str


@dataclass
class Installation:
    """Four services that listen, and what opens the request that they know."""

    apps: dict[str, App[Any]]
    admin_dsn: str
    request_id: UUID
    tracking_token: str
    link_token: str

    def url(self, service: str) -> str:
        """Where a service listens."""
        return f"http://127.0.0.1:{self.apps[service].settings.port}"


@asynccontextmanager
async def open_installation(admin_dsn: str, folder: Path, **intake: Any) -> AsyncIterator[Installation]:
    """Migrate an empty database and run the services on it until the end of the block. `intake`: settings of intake."""
    FileClock.write(folder / "clock.json", shown=NOON, speed=1.0)
    async with AsyncExitStack() as stack:
        host = admin_dsn.split("@", 1)[1]
        dsns = {service: f"postgresql://{role_of(service)}:{PASSWORD}@{host}" for service in SERVICES}
        await migrate(admin_dsn, dsns, lambda _: None)
        apps = {}
        for service in BUILDS:
            told = {"database": dsns[service], "clock_file": folder / "clock.json", "port": ports.free_port()}
            apps[service] = await stack.enter_async_context(serving(service, told | (intake if service == "intake" else {})))
        yield await with_a_request(apps, admin_dsn)


async def open_gate(app: App[Any]) -> None:
    """Let a service change states although no Kafka answers: here the log can hold nothing that the database lacks."""

    async def nothing() -> None:
        return None

    await app.pool.fetchval("SELECT 1")  # the first connection is what shuts it
    await app.shell.gate.compare(nothing)


def settings_for(service: str, **told: Any) -> Any:
    """Return settings of a service (Any: of its own class), with `told` above what all tests give. Nothing is limited."""
    common: dict[str, Any] = {
        "kafka": "127.0.0.1:9",
        "organisation": ORGANISATION,
        "keys": f"1:{base64.b64encode(bytes(range(32))).decode()}",
        "link_key": LINK_KEY,
        "site_url": "http://intake.test",
        "smtp": "smtp://127.0.0.1:9",
        "forms_a_minute": 0,
        "api_calls_a_minute": 0,
    }
    return settings_of(service)(**common | told)


@asynccontextmanager
async def serving(service: str, told: dict[str, Any]) -> AsyncIterator[App[Any]]:
    """A service that listens until the end of the block."""
    app = await BUILDS[service](settings_for(service, **told))
    await open_gate(app)
    stopping = asyncio.Event()
    running = asyncio.create_task(app.serve(stopping))
    try:
        await listening(app)
        yield app
    finally:
        stopping.set()
        await running


async def listening(app: App[Any]) -> None:
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(20):
        while True:
            try:
                (await http.get(f"http://127.0.0.1:{app.settings.port}/live")).raise_for_status()
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
            else:
                return


async def hand_over(apps: dict[str, App[Any]], authority: str = "rivemont", **told: Any) -> Handed:
    """Hand over a request by intake's API, and let the others take what intake, then the router, says of it."""
    body = {"authority": authority, "email": "solene@courriel.example", "text": "Un nid-de-poule.", **told}
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"http://127.0.0.1:{apps['intake'].settings.port}/v1/requests", json=body)
    accepted = answer.raise_for_status().json()
    request_id = UUID(accepted["request_id"])
    for speaker in ("intake", "router"):
        rows = await apps[speaker].pool.fetch(
            f"SELECT topic, type, value FROM {speaker}.outbox WHERE request_id = $1 ORDER BY id", request_id
        )
        for row in rows:
            event = _TYPES[row["type"]].model_validate_json(row["value"])
            for app in apps.values():
                if row["topic"] in [topic.name for topic in app.shell.service.consumes]:
                    (result,) = await app.shell.run([Input(request_id, authority, event, fact=True)], lane="fuzz")
                    assert result.kind == "done", result
    return Handed(request_id, accepted["tracking_token"])


async def with_a_request(apps: dict[str, App[Any]], admin_dsn: str) -> Installation:
    """Return the installation with one request that all of its services know."""
    handed = await hand_over(apps, service="voirie")
    return Installation(apps, admin_dsn, handed.request_id, handed.tracking_token, mint(handed.request_id, "answer"))


def mint(request_id: UUID, action: LinkAction, *, secret: str = LINK_KEY, **changes: Any) -> str:
    """Return the token of a link as the notifier makes it for the first owner's mailbox; `changes` make it another one."""
    told: dict[str, Any] = {
        "authority": "rivemont",
        "version": 2,
        "agent": "voirie@rivemont.example",
        "expires_at": NOON + LIFETIME,
    }
    return Links.from_text(secret).mint(Link(request_id=request_id, action=action, **(told | changes)))
