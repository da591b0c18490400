"""A server that was given by its address may be somebody's: nothing of theirs is changed, and a demo leaves nothing behind."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.process import StartError
from deploy.local.town import Town
from shared.db.migrate import migrate
from shared.db.rights import role_of
from shared.events.broker import create_topics
from shared.events.topics import SERVICES

pytestmark = pytest.mark.integration
NOWHERE = "smtp://127.0.0.1:9"


@pytest.fixture(scope="module")
def servers(run_folder: Path) -> Iterator[tuple[str, str]]:
    """A Kafka and a PostgreSQL of this module's own: no other test's databases and records are on them."""
    folder = run_folder / "given"
    with KafkaServer(folder / "kafka") as kafka, PostgresServer(folder / "postgres") as postgres:
        yield kafka.bootstrap, postgres.dsn


@pytest.fixture
async def installation(servers: tuple[str, str]) -> AsyncIterator[dict[str, str]]:
    """A real installation: the database addresses of its services."""
    server = servers[1]
    admin = await asyncpg.connect(server)
    await admin.execute("CREATE DATABASE aiguilleur")
    place = server.split("@", 1)[1].rsplit("/", 1)[0]
    password = secrets.token_hex(8)
    dsns = {service: f"postgresql://{role_of(service)}:{password}@{place}/aiguilleur" for service in SERVICES}
    await migrate(f"{server.rsplit('/', 1)[0]}/aiguilleur", dsns, lambda message: None)
    yield dsns
    await admin.execute("DROP DATABASE aiguilleur WITH (FORCE)")
    await admin.close()


def town_on(servers: tuple[str, str], folder: Path) -> Town:
    return Town(folder / "town", kafka=servers[0], admin_dsn=servers[1], smtp=NOWHERE)


async def databases(server: str) -> set[str]:
    admin = await asyncpg.connect(server)
    try:
        return {row["datname"] for row in await admin.fetch("SELECT datname FROM pg_database")}
    finally:
        await admin.close()


async def topics(bootstrap: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return set(await admin.list_topics())
    finally:
        await admin.close()


async def test_a_town_is_one_of_several_and_leaves_nothing_behind(servers: tuple[str, str], tmp_path: Path) -> None:
    before = await databases(servers[1]), await topics(servers[0])
    town, other = town_on(servers, tmp_path), town_on(servers, tmp_path)
    await town.prepare()
    await other.prepare()
    assert len(await databases(servers[1])) == len(before[0]) + 2
    await town.remove()
    await other.remove()
    assert (await databases(servers[1]), await topics(servers[0])) == before


async def test_an_installation_keeps_its_passwords(
    servers: tuple[str, str], installation: dict[str, str], tmp_path: Path
) -> None:
    before = await databases(servers[1]), await topics(servers[0])

    with pytest.raises(StartError, match="the database aiguilleur of this PostgreSQL uses the roles"):
        await town_on(servers, tmp_path).prepare()

    assert (await databases(servers[1]), await topics(servers[0])) == before
    for dsn in installation.values():
        await (await asyncpg.connect(dsn)).close()


async def test_a_log_that_holds_records_is_not_written_to(servers: tuple[str, str], tmp_path: Path) -> None:
    await create_topics(servers[0])
    producer = AIOKafkaProducer(bootstrap_servers=servers[0])
    await producer.start()
    await producer.send_and_wait("handling.v1", b"somebody's")
    await producer.stop()
    before = await databases(servers[1])

    with pytest.raises(StartError, match=r"records of another run in handling\.v1: give another server"):
        await town_on(servers, tmp_path).prepare()

    assert await databases(servers[1]) == before
