"""Each service's only subscriber, with the settings that aiokafka really gets: a default here would lose messages."""

from importlib import import_module
from typing import Any

import asyncpg
import pytest
from faststream import AckPolicy

from shared.app import App
from shared.clock import SystemClock
from shared.delivery.service import Service
from shared.events.topics import SERVICES, consumed_by
from shared.organisation import OrganisationSource
from shared.settings import ServiceSettings
from tests.architecture.tree import ROOT, modules


def service_of(name: str) -> Service[Any]:
    """The service that a folder declares."""
    found = [one for one in vars(import_module(f"services.{name}.service")).values() if isinstance(one, Service)]
    assert len(found) == 1, f"services/{name}/service.py declares {len(found)} services"
    return found[0]


async def app_of(name: str, *, instance: str, kafka: str = "127.0.0.1:9") -> App[Any]:
    """The service in its frame, as its `app.py` builds it. Nothing is started, no server is asked."""
    settings = ServiceSettings(
        kafka=kafka,
        organisation=ROOT / "deploy/organisation",
        instance=instance,
        database="postgresql://nobody:nothing@127.0.0.1:9/nothing",
        port=8000,
    )
    source = OrganisationSource(settings.organisation)
    pool = asyncpg.create_pool(settings.database.get_secret_value(), min_size=0)
    return App(service_of(name), settings, organisation=source, pool=pool, clock=SystemClock())


def only_subscriber(app: App[Any]) -> Any:  # FastStream types the list by a base class of no broker
    (subscriber,) = app.consumer.broker.subscribers
    return subscriber


@pytest.mark.parametrize("name", SERVICES)
async def test_a_subscriber_leaves_the_place_in_the_log_to_the_shell(name: str) -> None:
    subscriber = only_subscriber(await app_of(name, instance="7"))

    assert subscriber.ack_policy is AckPolicy.MANUAL
    assert sorted(subscriber.topic_names_for_subscribe) == sorted(topic.name for topic in consumed_by(name))
    assert not subscriber._outer_config.allow_auto_create_topics, "FastStream would create topics, with one partition"
    # What FastStream's `start` does with what it was told; a client of aiokafka knows what it will do before it connects.
    client: Any = subscriber.builder(group_id=subscriber.group_id, client_id="test", **subscriber._connection_args)
    assert client._group_id == name
    assert client._group_instance_id == f"{name}-7"
    assert client._enable_auto_commit is False
    assert client._auto_offset_reset == "earliest"
    assert client._max_poll_interval_ms >= 300_000, "the worst batch must fit into it"
    assert client._session_timeout_ms >= 3 * client._heartbeat_interval_ms


async def test_replicas_are_different_static_members() -> None:
    members = set()
    for instance in ("0", "1"):
        subscriber = only_subscriber(await app_of("router", instance=instance))
        members.add(subscriber._connection_args["group_instance_id"])
    assert members == {"router-0", "router-1"}


def test_nobody_else_subscribes_acknowledges_commits_or_publishes() -> None:
    """The tests above see every subscriber only because the shell makes them all."""
    words = ("KafkaBroker(", "KafkaRouter(", ".subscriber(", "AIOKafkaConsumer(", "AIOKafkaProducer(", ".publisher(")
    verbs = (".ack(", ".nack(", ".reject(", ".commit(", ".publish(", ".publish_batch(", ".send_and_wait(", ".begin(")
    readers = {"shared/delivery/log_reader.py", "shared/delivery/log_ends.py"}  # without a group: rebuild, watchdog
    makers = {"shared/delivery/subscription.py", "shared/delivery/producer.py", *readers}
    found = {
        f"{module.path}: {word}"
        for module in modules("services", "shared")
        if module.path not in makers
        for word in (*words, *(verbs if module.path.startswith("services/") else ()))
        if word in module.text
    }
    assert not found, "\n".join(sorted(found))
