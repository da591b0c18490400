"""A service that is started before the topics exist waits for them: created by anybody else they would have one partition."""

import asyncio
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.kafka import KafkaServer
from shared.events.broker import create_topics, wanted_topics
from shared.events.topics import consumed_by
from tests.architecture.test_subscribers import app_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def test_a_service_waits_for_its_topics_and_makes_none(run_folder: Path) -> None:
    with KafkaServer(run_folder / "kafka-without-topics") as server:
        app = await app_of("router", instance="0", kafka=server.bootstrap)
        serving = asyncio.create_task(app.consumer.serve())
        try:
            await asyncio.sleep(3)
            assert await existing(server.bootstrap) == {}

            await create_topics(server.bootstrap)

            async with asyncio.timeout(30):
                while not app.consumer.connected:
                    await asyncio.sleep(0.1)
            partitions = await existing(server.bootstrap)
            assert all(partitions[topic.name] == topic.partitions for topic in consumed_by("router"))
            assert len(partitions) == len(wanted_topics(replication=1))
        finally:
            serving.cancel()
            await app.consumer.stop()


async def existing(bootstrap: str) -> dict[str, int]:
    """The broker's topics and how many partitions each has, its own and the readiness check left out."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        described = await admin.describe_topics()
        return {one["topic"]: len(one["partitions"]) for one in described if not one["topic"].startswith("__")}
    finally:
        await admin.close()
