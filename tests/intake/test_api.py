"""The API, on the real application and a real PostgreSQL, with Kafka away."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from services.intake.domain.request import TrackedRequest
from shared.app import App
from shared.organisation import Authority
from tests.intake.conftest import NOON

pytestmark = pytest.mark.integration
Body = Callable[..., dict[str, Any]]


async def test_a_request_is_accepted_while_kafka_is_away(client: httpx.AsyncClient, body: Body, town: Authority) -> None:
    answer = await client.post("/v1/requests", json=body())

    accepted = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/requests/{accepted['tracking_token']}"
    assert accepted["tracking_url"] == f"http://intake.test/rivemont/suivi/{accepted['tracking_token']}"
    assert accepted["service"]["code"] == "voirie"
    received_at = datetime.fromisoformat(accepted["received_at"])
    assert timedelta(0) <= received_at - NOON < timedelta(minutes=5)
    due_at = town.calendar_of("voirie").due(received_at, 48 * 3600)
    assert datetime.fromisoformat(accepted["promise"]["due_at"]) == due_at


async def test_the_token_shows_the_request(client: httpx.AsyncClient, body: Body) -> None:
    accepted = (await client.post("/v1/requests", json=body())).json()

    tracked = (await client.get(f"/v1/requests/{accepted['tracking_token']}")).json()

    assert tracked["reference"] == accepted["reference"]
    assert tracked["status"] == "received"
    assert tracked["text"] == "Un nid-de-poule devant chez moi."
    assert [line["what"] for line in tracked["history"]] == ["received"]


async def test_the_same_key_and_body_give_the_same_answer(client: httpx.AsyncClient, body: Body) -> None:
    key = {"Idempotency-Key": "2f6d8a1e-same"}

    first = await client.post("/v1/requests", json=body(), headers=key)
    again = await client.post("/v1/requests", json=body(), headers=key)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


async def test_the_same_key_with_another_body_is_a_conflict(client: httpx.AsyncClient, body: Body) -> None:
    key = {"Idempotency-Key": "2f6d8a1e-other"}

    await client.post("/v1/requests", json=body(), headers=key)
    other = await client.post("/v1/requests", json=body(text="Autre chose."), headers=key)

    assert other.status_code == 409
    assert other.headers["content-type"] == "application/problem+json"
    assert other.json()["code"] == "idempotency-key-reused"


async def test_the_same_key_under_another_authority_is_another_request(client: httpx.AsyncClient, body: Body) -> None:
    key = {"Idempotency-Key": "2f6d8a1e-towns"}
    elsewhere = body(authority="saint-aubrin", service=None, category=None, answers={})

    first = await client.post("/v1/requests", json=body(), headers=key)
    other = await client.post("/v1/requests", json=elsewhere, headers=key)

    assert (first.status_code, other.status_code) == (201, 201)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"authority": "nulle-part"}, "/authority"),
        ({"category": "inconnu"}, "/category"),
        ({"category": "bruit"}, "/category"),
        ({"answers": {}}, "/answers/lieu"),
        ({"answers": {"lieu": "ici", "age": "3"}}, "/answers/age"),
        ({"category": "danger-voirie", "answers": {"lieu": "ici", "blesse": "peut-être"}}, "/answers/blesse"),
        ({"text": "  \n "}, "/text"),
        ({"text": "\u0007"}, "/text"),
        ({"email": "pas une adresse"}, "/email"),
        ({"email": ...}, "/email"),
        ({"phone": "++++"}, "/phone"),
        ({"name": "x" * 201}, "/name"),
        ({"nom": "Solène"}, "/nom"),
        ({"service": "la voirie"}, "/service"),
    ],
)
async def test_a_wrong_field_is_named(client: httpx.AsyncClient, body: Body, changes: dict[str, Any], field: str) -> None:
    answer = await client.post("/v1/requests", json=body(**changes))

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(("service", "owner"), [("piscine", "accueil"), ("culture", "accueil"), (None, "accueil")])
async def test_an_unknown_or_closed_service_is_promised_by_the_front_desk(
    client: httpx.AsyncClient, body: Body, service: str | None, owner: str
) -> None:
    answer = await client.post("/v1/requests", json=body(service=service, category=None, answers={}))

    assert answer.status_code == 201
    assert answer.json()["service"]["code"] == owner


async def test_wrong_ways_are_told(client: httpx.AsyncClient, body: Body) -> None:
    assert (await client.post("/v1/requests", content=b"{", headers={"content-type": "application/json"})).status_code == 400
    assert (await client.post("/v1/requests", data={"text": "x"})).status_code == 415
    assert (await client.post("/v1/requests", json=body(text="x" * 400_000))).status_code == 413
    assert (await client.get("/v1/requests/AAAAAAAAAAAAAAAAAAAAAA")).status_code == 404
    assert (await client.delete("/v1/requests")).status_code == 405


async def test_what_is_committed_is_sealed(intake: App[TrackedRequest], client: httpx.AsyncClient, body: Body) -> None:
    await client.post("/v1/requests", json=body(name="Zéphyrine Abracadabrantesque"))

    told = [bytes(row["value"]) for row in await intake.pool.fetch("SELECT value FROM intake.outbox WHERE value IS NOT NULL")]
    states = [bytes(row["state"]) for row in await intake.pool.fetch("SELECT state FROM intake.request")]

    assert told and states
    assert not [one for one in told + states if b"Abracadabrantesque" in one or b"solene" in one]
