"""What the tests of the shell share."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.kafka import KafkaServer
from shared.events.broker import create_topics, wanted_topics
from shared.organisation import Authority, load
from tests.delivery.bench import Bench
from tests.delivery.memory import Memory
from tests.delivery.sample import Faults

ORGANISATION = Path(__file__).parents[2] / "deploy" / "organisation"


@pytest.fixture(scope="session")
def authority() -> Authority:
    return load(ORGANISATION).authority("rivemont")


@pytest.fixture
def memory(authority: Authority) -> Memory:
    return Memory(authority)


@pytest.fixture(autouse=True)
def faulty_again() -> Iterator[None]:
    yield
    Faults.poison = frozenset({"poison"})


@pytest.fixture
async def bench(database: str, authority: Authority) -> AsyncIterator[Bench]:
    opened = await Bench.open(database, authority)
    yield opened
    opened.pool.terminate()


@pytest.fixture(scope="module")
def broker(run_folder: Path, request: pytest.FixtureRequest) -> Iterator[KafkaServer]:
    """A broker of the module's own, with every topic; it may be restarted."""
    with KafkaServer(run_folder / f"kafka-{request.module.__name__}") as server:
        asyncio.run(create_topics(server.bootstrap))
        yield server


@pytest.fixture
async def empty_log(broker: KafkaServer) -> KafkaServer:
    """The module's broker, its topics made anew."""
    return await make_topics_anew(broker)


async def make_topics_anew(broker: KafkaServer) -> KafkaServer:
    """Delete every topic and create it again, empty."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic.name for topic in wanted_topics(replication=1)])
    finally:
        await admin.close()
    for _ in range(50):
        await asyncio.sleep(0.2)
        try:
            if not await create_topics(broker.bootstrap):
                return broker
        except KafkaError:  # the broker is still deleting
            continue
    raise TimeoutError("the topics could not be made anew")
