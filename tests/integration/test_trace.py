"""One request is one trace through the services."""

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events.topics import HANDLING, NOTIFICATIONS, REQUESTS, Topic
from tests.scene import Scene

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
BODY = {
    "authority": "rivemont",
    "channel": "app",
    "service": "voirie",
    "email": "usager@courriel.example",
    "text": "Le banc devant l'école est cassé.",
}


async def traces(kafka: str, topic: Topic, request_id: str) -> set[str]:
    """The trace ids of the events of a request on a topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    try:
        places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        ends = await consumer.end_offsets(places)
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        found: set[str] = set()
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                mine = [dict(one.headers) for one in records if one.key == request_id.encode()]
                found |= {headers["traceparent"].decode().split("-")[1] for headers in mine}
        return found
    finally:
        await consumer.stop()


async def test_the_trace_of_a_request_is_seen_in_every_service(town_scene: Scene) -> None:
    town = town_scene.town
    async with httpx.AsyncClient(trust_env=False) as http:
        url = f"{town.url('intake')}/v1/requests"
        own = (await http.post(url, json=BODY, headers={"Idempotency-Key": "own"})).json()["request_id"]
        told = {"Idempotency-Key": "called", "traceparent": CALLER}
        called = (await http.post(url, json=BODY, headers=told)).json()["request_id"]
    await town.settle()

    name = own.replace("-", "")
    for topic in (REQUESTS, HANDLING, NOTIFICATIONS):
        assert await traces(town.kafka, topic, own) == {name}
    for topic in (REQUESTS, HANDLING):  # as far as the call is the cause; a mail's outcome is told by the mail server
        assert await traces(town.kafka, topic, called) == {CALLER.split("-")[1]}
    assert await traces(town.kafka, NOTIFICATIONS, called) == {called.replace("-", "")}
