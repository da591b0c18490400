"""What the tests of the shell share."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.kafka import KafkaServer
from shared.delivery.topic_ids import find_topic_ids
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
    """Delete every topic and create it again, empty. After it each is another one than before, and has its leaders."""
    names = {topic.name for topic in wanted_topics(replication=1)}
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        before = await find_topic_ids(admin._client, names)
        await admin.delete_topics(list(names))
        for _ in range(150):
            await asyncio.sleep(0.2)
            now = await find_topic_ids(admin._client, names)
            if len(now) == len(names) and not now.items() & before.items() and await _have_leaders(admin, names):
                return broker
            if not now.items() & before.items():  # else the broker is still deleting, and would call them there
                with suppress(KafkaError):
                    await create_topics(broker.bootstrap)
    finally:
        await admin.close()
    raise TimeoutError("the topics could not be made anew")


async def _have_leaders(admin: AIOKafkaAdminClient, names: set[str]) -> bool:
    described = await admin.describe_topics(list(names))
    return all(part["error_code"] == 0 and part["leader"] >= 0 for topic in described for part in topic["partitions"])
