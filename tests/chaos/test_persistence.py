"""A client that insists, behind several processes at another one each time, as through a load balancer; and one that gives up."""

from uuid import UUID

import httpx
import pytest

from tests.chaos.persistence import Client

FIRST, SECOND = "http://127.0.0.1:1", "http://127.0.0.1:2"


async def test_a_try_at_a_process_that_is_away_is_followed_by_one_at_its_copy() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if request.url.port == 1:
            raise httpx.ReadTimeout("it stands still")
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = Client(http, sites=[[FIRST, SECOND], ["http://127.0.0.1:3"]])
        for _ in range(2):
            told = await client.insist("GET", f"{FIRST}/a/token")
            assert told is not None and told.status_code == 200
        await client.insist("GET", "http://127.0.0.1:3/elsewhere")
    assert asked[:3] == [f"{SECOND}/a/token", f"{FIRST}/a/token", f"{SECOND}/a/token"]
    assert asked[3:] == ["http://127.0.0.1:3/elsewhere"]


async def test_who_gives_up_is_told_nothing_by_silence_nor_by_a_later() -> None:
    told: list[httpx.Response | Exception] = [httpx.ConnectError("away"), httpx.Response(503), httpx.Response(201)]

    def answer(_request: httpx.Request) -> httpx.Response:
        if isinstance(one := told.pop(0), Exception):
            raise one
        return one

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = Client(http)
        assert [await client.once("POST", FIRST) for _ in range(2)] == [None, None]
        done = await client.once("POST", FIRST)
    assert done is not None and done.status_code == 201


@pytest.mark.parametrize(("some_give_up", "number", "tries"), [(True, 0, 1), (True, 7, 2), (False, 0, 2)])
async def test_some_give_up_what_they_do_about_a_request(some_give_up: bool, number: int, tries: int) -> None:
    asked = 0

    def answer(_request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(503 if asked == 1 else 200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        client = Client(http, some_give_up=some_give_up)
        told = await client.act(UUID(int=number << 20), FIRST, {"text": "Le banc est cassé."})
    assert (asked, told is None) == (tries, tries == 1)
