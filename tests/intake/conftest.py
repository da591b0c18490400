"""Intake whole, on a real PostgreSQL. Nobody answers at Kafka's address: the public site must not need it."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import address, folders, ports
from services.intake.app import build
from services.intake.domain.request import TrackedRequest
from services.intake.settings import IntakeSettings
from shared.app import App
from shared.clock import FileClock
from shared.db.migrate import migrate
from shared.db.rights import role_of
from shared.delivery.service import Context
from shared.events.topics import SERVICES
from shared.identifiers import RequestIds
from shared.organisation import Authority, load
from tests.conftest import fresh_database

ORGANISATION = folders.ROOT / "deploy" / "organisation"
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
"""A Tuesday, noon in Rivemont."""
KEYS = f"1:{base64.b64encode(bytes(range(32))).decode()}"


@pytest.fixture(scope="session")
def town() -> Authority:
    return load(ORGANISATION).authority("rivemont")


@pytest.fixture
def context(town: Authority) -> Context:
    class Noon:
        def now(self) -> datetime:
            return NOON

    return Context(NOON, town, RequestIds(Noon()).new())


@asynccontextmanager
async def intake_on(admin_dsn: str, folder: Path, **settings: Any) -> AsyncIterator[App[TrackedRequest]]:
    """Run intake on a database of its own; `settings` change those of the test."""
    passwords = {service: secrets.token_hex(8) for service in SERVICES}
    address_of = admin_dsn.split("@", 1)[1]
    dsns = {service: f"postgresql://{role_of(service)}:{passwords[service]}@{address_of}" for service in SERVICES}
    if "database" not in settings:
        await migrate(admin_dsn, dsns, lambda message: None)
    FileClock.write(folder / "clock.json", shown=NOON, speed=1.0)
    told: dict[str, Any] = {
        "kafka": f"127.0.0.1:{ports.free_port()}",
        "organisation": ORGANISATION,
        "clock_file": folder / "clock.json",
        "keys": KEYS,
        "database": dsns["intake"],
        "port": ports.free_port(),
        "site_url": "http://intake.test",
        "forms_a_minute": 0,
        "api_calls_a_minute": 0,
    }
    app = await build(IntakeSettings(**(told | settings)))
    app.shell.gate.trust()  # no Kafka here: nothing to compare the database with
    stopping = asyncio.Event()
    serving = asyncio.create_task(app.serve(stopping))
    try:
        yield app
    finally:
        stopping.set()
        await serving


@pytest.fixture(scope="module")
async def intake(
    postgres_server: address.Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[App[TrackedRequest]]:
    """Intake with no Kafka, shared by the tests of a module."""
    async with fresh_database(postgres_server.dsn) as dsn, intake_on(dsn, tmp_path_factory.mktemp("intake")) as app:
        yield app


@pytest.fixture
async def client(intake: App[TrackedRequest]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the real application, without a socket between."""
    transport = httpx.ASGITransport(intake.http, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://intake.test") as client:
        yield client


@pytest.fixture
def body() -> Callable[..., dict[str, Any]]:
    """Return a body that is accepted, with what the test changes."""

    def make(**changes: Any) -> dict[str, Any]:
        told = {
            "authority": "rivemont",
            "service": "voirie",
            "category": "voirie-degradee",
            "email": "solene.vautrin@courriel.example",
            "text": "Un nid-de-poule devant chez moi.",
            "answers": {"lieu": "12 rue des Lilas"},
        }
        return {name: value for name, value in (told | changes).items() if value is not ...}

    return make
