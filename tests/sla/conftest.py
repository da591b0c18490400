"""Replicas of the sla on a real PostgreSQL, with a clock that the test moves."""

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from deploy.local.town import ORGANISATION
from services.sla.app import build
from services.sla.domain.clocks import Clocks
from services.sla.settings import SlaSettings
from shared.app import App
from shared.clock import FileClock
from shared.db.migrate import migrate
from shared.db.rights import role_of
from shared.events.topics import SERVICES

Replica = Callable[[], Awaitable[App[Clocks]]]


@pytest.fixture(scope="module")
async def sla_database(module_database: str) -> AsyncIterator[tuple[str, str]]:
    """The administrator's address and the sla's own, of a migrated database."""
    password = secrets.token_hex(8)
    host = module_database.split("@", 1)[1]
    addresses = {service: f"postgresql://{role_of(service)}:{password}@{host}" for service in SERVICES}
    await migrate(module_database, addresses, lambda _: None)
    yield module_database, addresses["sla"]


@pytest.fixture
async def admin(sla_database: tuple[str, str]) -> AsyncIterator[asyncpg.Connection]:
    """The administrator, on empty tables."""
    connection = await asyncpg.connect(sla_database[0])
    await connection.execute("TRUNCATE sla.request, sla.deadline, sla.outbox, sla.parked")
    yield connection
    await connection.close()


@pytest.fixture
def set_clock(tmp_path: Path) -> Callable[[datetime], None]:
    """Stop the replicas' clock at an instant."""

    def stop_at(shown: datetime) -> None:
        FileClock.write(tmp_path / "clock.json", shown=shown, speed=0.0)
        time.sleep(0.03)  # a replica looks at the file again after 20 ms

    return stop_at


@pytest.fixture
async def replica(sla_database: tuple[str, str], tmp_path: Path) -> AsyncIterator[Replica]:
    """Builds one more replica, as `python -m services.sla` does; nothing is started."""
    made: list[App[Clocks]] = []

    async def make() -> App[Clocks]:
        settings = SlaSettings(
            kafka="127.0.0.1:9",
            organisation=ORGANISATION,
            database=sla_database[1],
            clock_file=tmp_path / "clock.json",
            port=8003,
        )
        app = await build(settings)
        app.shell.gate.trust()  # no Kafka here: nothing to compare the database with
        made.append(app)
        return made[-1]

    yield make
    for app in made:
        app.pool.terminate()
