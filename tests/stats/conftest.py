"""Replicas of the statistics on a real PostgreSQL, and their page."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from deploy.local.town import ORGANISATION
from services.stats.app import build
from services.stats.domain.facts import Facts
from services.stats.settings import StatsSettings
from shared.app import App
from shared.clock import FileClock
from shared.db.migrate import migrate
from shared.db.rights import role_of
from shared.events.topics import SERVICES

Replica = Callable[[], Awaitable[App[Facts]]]


@pytest.fixture(scope="module")
async def stats_database(module_database: str) -> AsyncIterator[tuple[str, str]]:
    """The administrator's address and the statistics' own, of a migrated database."""
    password = secrets.token_hex(8)
    host = module_database.split("@", 1)[1]
    addresses = {service: f"postgresql://{role_of(service)}:{password}@{host}" for service in SERVICES}
    await migrate(module_database, addresses, lambda _: None)
    yield module_database, addresses["stats"]


@pytest.fixture
async def admin(stats_database: tuple[str, str]) -> AsyncIterator[asyncpg.Connection]:
    """The administrator, on empty tables."""
    connection = await asyncpg.connect(stats_database[0])
    await connection.execute("TRUNCATE stats.request, stats.cell, stats.duration, stats.position, stats.outbox, stats.parked")
    yield connection
    await connection.close()


@pytest.fixture
async def replica(stats_database: tuple[str, str], tmp_path: Path) -> AsyncIterator[Replica]:
    """Builds one more replica, as `python -m services.stats` does, on the last day of November 2026; nothing is started."""
    FileClock.write(tmp_path / "clock.json", shown=datetime(2026, 11, 30, 12, 0, tzinfo=UTC), speed=1.0)
    made: list[App[Facts]] = []

    async def make() -> App[Facts]:
        settings = StatsSettings(
            kafka="127.0.0.1:9",
            organisation=ORGANISATION,
            database=stats_database[1],
            clock_file=tmp_path / "clock.json",
            site_url="http://127.0.0.1:8001",
            port=8005,
        )
        app = await build(settings)
        app.shell.gate.trust()  # no Kafka here: nothing to compare the database with
        made.append(app)
        return made[-1]

    yield make
    for app in made:
        app.pool.terminate()
