"""When PostgreSQL is away, and when somebody sends too much: an answer that says what to do, and nothing lost."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import address
from tests.conftest import fresh_database
from tests.intake.conftest import intake_on
from tests.intake.test_pages import POTHOLE

pytestmark = pytest.mark.integration


async def test_without_postgresql_one_is_asked_to_come_back(
    postgres_server: address.Postgres, tmp_path: Path, body: Callable[..., dict[str, Any]]
) -> None:
    async with fresh_database(postgres_server.dsn) as dsn, intake_on(dsn, tmp_path) as app:
        transport = httpx.ASGITransport(app.http)
        key = {"Idempotency-Key": "sent-during-the-outage"}
        async with httpx.AsyncClient(transport=transport, base_url="http://intake.test", timeout=60) as client:
            token = (await client.post("/v1/requests", json=body())).json()["tracking_token"]
            postgres_server.kill()
            try:
                refused = await client.post("/v1/requests", json=body(), headers=key)
                page = await client.post("/rivemont/demande/voirie", data=POTHOLE)
                tracked = await client.get(f"/v1/requests/{token}")
                followed = await client.get(f"/rivemont/suivi/{token}")
            finally:
                postgres_server.restart()
            async with asyncio.timeout(30):
                while (taken := await client.post("/v1/requests", json=body(), headers=key)).status_code == 503:
                    await asyncio.sleep(0.2)

    for answer in (refused, page, tracked, followed):
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
    assert "momentanément indisponible" in page.text
    assert taken.status_code == 201


async def test_who_sends_too_much_is_told_how_long_to_wait(
    postgres_server: address.Postgres, tmp_path: Path, body: Callable[..., dict[str, Any]]
) -> None:
    limits = {"forms_a_minute": 1, "api_calls_a_minute": 1}
    async with fresh_database(postgres_server.dsn) as dsn, intake_on(dsn, tmp_path, **limits) as app:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app.http), base_url="http://intake.test")
        forms = [await client.post("/rivemont/demande/voirie", data=POTHOLE) for _ in range(2)]
        calls = [await client.post("/v1/requests", json=body()) for _ in range(2)]
        await client.aclose()

    assert [answer.status_code for answer in forms] == [303, 429]
    assert [answer.status_code for answer in calls] == [201, 429]
    assert 0 < int(calls[1].headers["retry-after"]) <= 61


async def test_in_a_rush_the_last_are_asked_to_come_back(
    postgres_server: address.Postgres, tmp_path: Path, body: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.delivery.local_queue.MAX_WAITING", 5)
    async with (
        fresh_database(postgres_server.dsn) as dsn,
        intake_on(dsn, tmp_path) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app.http), base_url="http://intake.test") as client,
    ):

        async def post(number: int) -> httpx.Response:
            return await client.post("/v1/requests", json=body(), headers={"Idempotency-Key": f"rush-{number}"})

        answers = await asyncio.gather(*(post(number) for number in range(40)))
        late = [number for number, answer in enumerate(answers) if answer.status_code == 503]
        again = [await post(number) for number in late]

    assert {answer.status_code for answer in answers} == {201, 503}
    assert all(int(answers[number].headers["retry-after"]) > 0 for number in late)
    assert {answer.status_code for answer in again} == {201}
