"""Channel adapters, over a real Kafka: events taken once, others parked with a reason; and what the tracking page learns."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local import address
from services.intake.domain.request import TrackedRequest
from services.intake.erase import erase_by_reference
from shared.app import App
from shared.events import handling
from shared.events.broker import create_topics
from shared.events.content import AgentAct
from shared.events.envelope import encode_headers
from shared.vault.keys import find_keys
from tests.conftest import fresh_database
from tests.intake.conftest import NOON, intake_on

pytestmark = pytest.mark.integration
TOLD = {"authority": "rivemont", "channel": "adapter", "service": "voirie", "phone": "03 00 00 00 01", "text": "Un arbre penche."}
BINARY = {"ce_specversion": "1.0", "ce_type": "fr.aiguilleur.request.submitted.v1", "ce_source": "/adapter/mairie-mobile"}
Publish = Callable[..., Awaitable[None]]


@pytest.fixture(scope="module")
async def connected(
    kafka_server: address.Kafka, postgres_server: address.Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[App[TrackedRequest]]:
    await create_topics(kafka_server.bootstrap)
    folder = tmp_path_factory.mktemp("connected")
    async with fresh_database(postgres_server.dsn) as dsn, intake_on(dsn, folder, kafka=kafka_server.bootstrap) as app:
        yield app


@pytest.fixture
async def publish(kafka_server: address.Kafka) -> AsyncIterator[Publish]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka_server.bootstrap)
    await producer.start()

    async def send(topic: str, value: Any, headers: dict[str, str], key: str | None = None) -> None:
        told = [(name, text.encode()) for name, text in headers.items()]
        await producer.send_and_wait(topic, json.dumps(value).encode(), key=key.encode() if key else None, headers=told)

    yield send
    await producer.stop()


async def until(question: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(30):
        while not (answer := await question()):
            await asyncio.sleep(0.05)
    return answer


async def test_an_event_becomes_a_request_once(connected: App[TrackedRequest], publish: Publish) -> None:
    for _ in range(2):
        await publish("intake.inbound.v1", TOLD, BINARY | {"ce_id": "a-1"})
    structured = {"specversion": "1.0", "type": BINARY["ce_type"], "source": "/adapter/other", "id": "a-1", "data": TOLD}
    await publish("intake.inbound.v1", structured, {"content-type": "application/cloudevents+json"})

    async def taken() -> bool:
        return bool(await connected.pool.fetchval("SELECT count(*) FROM intake.inbox") == 2)

    await until(taken)
    assert await connected.pool.fetchval("SELECT count(*) FROM intake.tracking") == 2
    assert await connected.pool.fetchval("SELECT count(*) FROM vault.request_key") == 2


async def test_an_event_that_cannot_be_taken_is_parked_with_a_readable_reason(
    connected: App[TrackedRequest], publish: Publish
) -> None:
    await publish("intake.inbound.v1", TOLD | {"category": "bruit"}, BINARY | {"ce_id": "b-1"})

    async def parked() -> Any:
        return await connected.pool.fetchrow("SELECT * FROM intake.parked")

    row = await until(parked)
    assert row["why"] == "undecodable"
    assert row["detail"].startswith("category: not of service (allowed: danger-voirie")
    assert b"arbre" not in bytes(row["value"])


async def test_the_page_shows_the_life_and_forgets_on_demand(connected: App[TrackedRequest], publish: Publish) -> None:
    transport = httpx.ASGITransport(connected.http)
    async with httpx.AsyncClient(transport=transport, base_url="http://intake.test") as client:
        accepted = (await client.post("/v1/requests", json=TOLD)).json()
        request_id = UUID(accepted["request_id"])
        path = f"/rivemont/suivi/{accepted['tracking_token']}"
        assert connected.vault is not None
        key = (await find_keys(connected.pool, connected.vault, [request_id]))[request_id]
        sealed = key.seal(request_id, AgentAct(agent="a.martin@rivemont.example", text="L’arbre est abattu."))
        about = {"request_id": request_id, "authority": "rivemont", "at": NOON, "service": "voirie"}
        for event in (
            handling.RequestAssigned(**about, version=1, status="assigned", reason="chosen"),
            handling.RequestAnswered(**about, version=2, status="answered", elapsed_working_seconds=60, sealed=sealed),
        ):
            told = encode_headers(
                type=event.type_, source="/router", id=f"{event.version}", sequence=event.version, time=NOON, traceparent=None
            )
            await publish(
                "handling.v1", json.loads(event.model_dump_json()), {name: raw.decode() for name, raw in told}, str(request_id)
            )

        async def answered() -> bool:
            state = await connected.shell.find_state(request_id)
            return state is not None and state.status == "answered"

        await until(answered)
        page = await client.get(path)
        assert "L’arbre est abattu." in page.text and "Voirie" in page.text and "a.martin" not in page.text

        await erase_by_reference(connected, "rivemont", accepted["reference"].lower())
        forgotten = await client.get(path)
        assert "abattu" not in forgotten.text and "Texte effacé" in forgotten.text
        tracked = (await client.get(f"/v1/requests/{accepted['tracking_token']}")).json()
        assert tracked["status"] == "erased" and tracked["text"] is None
        assert [line["text"] for line in tracked["history"]] == [None] * len(tracked["history"])


async def test_what_is_accepted_is_published(connected: App[TrackedRequest]) -> None:
    async def published() -> bool:
        return not await connected.pool.fetchval("SELECT count(*) FROM intake.outbox WHERE published_at IS NULL")

    await until(published)
    assert await connected.pool.fetchval("SELECT count(*) FROM intake.outbox WHERE topic = 'requests.v1'") >= 3
