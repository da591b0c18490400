"""The page and the API of the statistics, in a real browser, on real figures."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random
from typing import Any

import asyncpg
import httpx
import pytest
import uvicorn
from playwright.async_api import Page, expect

from deploy.local import ports
from services.stats.site import FOLDER
from shared.delivery.values import Input
from shared.pages.catalogue import Catalogue, missing_translations
from tests.stats.conftest import Replica
from tests.stats.log import Request, request_id

Axe = Callable[[Page], Awaitable[list[str]]]


def test_every_message_has_its_english_text() -> None:
    assert missing_translations([FOLDER], Catalogue(FOLDER / "locale"), "en") == []


def the_town() -> list[Input]:
    """Rivemont's November: 40 requests for the registry office, 25 for planning, 6 for the mayor; most by the web form."""
    random = Random(3)
    told: list[Input] = []
    for number, service in enumerate(["etat-civil"] * 40 + ["urbanisme"] * 25 + ["maire"] * 6):
        one = Request(number, service=service, channel="phone" if number % 5 == 0 else "web", day=random.randint(2, 28))
        events: list[Any] = [one.received(), one.registered(), one.assigned()]
        if number % 4:
            events.append(one.taken(minutes=30 + number * 7, late=number % 10 == 1))
        if service == "etat-civil" and number % 3 == 0:
            events += [one.missed(), one.raised(1)]
        if number in (50, 51):
            events.append(one.transferred("voirie"))
        told += [Input(request_id(number), "rivemont", event, fact=True) for event in events]
    return told


@pytest.fixture
async def site(admin: asyncpg.Connection, replica: Replica) -> AsyncIterator[str]:
    """Where the statistics of Rivemont's November are."""
    app = await replica()
    await app.shell.run(the_town(), lane="log")
    port = ports.free_port()
    config = uvicorn.Config(app.http, port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@pytest.mark.integration
async def test_the_page_tells_volumes_and_kept_delays_and_hides_small_numbers(site: str, page: Page, axe: Axe) -> None:
    for width in (320, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.goto(f"{site}/rivemont/statistiques")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Nos délais en chiffres")
        wider = await page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not wider, f"the page scrolls sideways at {width}"
        assert await axe(page) == []

    figures = await page.locator(".figures .figure-value").all_inner_texts()
    assert figures[0] == "71"
    services = page.get_by_role("table", name="Par service : demandes")
    mayor = services.locator("tr", has=page.get_by_role("rowheader", name=re.compile("Maire")))
    assert (await mayor.get_by_role("cell").all_inner_texts())[0] == "masqué"
    registry = services.locator("tr", has=page.get_by_role("rowheader", name="État civil"))
    told = await registry.get_by_role("cell").all_inner_texts()
    assert (told[0], told[1]) == ("40", "30")
    assert told[2] == "76\u00a0%", "26 in time, of the 30 taken in charge and the 4 that are overdue and lie untouched"
    content = await page.content()
    assert "moins de 11" in content
    assert await page.get_by_role("img", name="Demandes reçues, par service").count() == 1


@pytest.mark.integration
async def test_a_reader_chooses_months_in_english_without_a_script(site: str, browser: Any, axe: Axe) -> None:
    context = await browser.new_context(locale="en-GB", java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site}/rivemont/statistiques?from=2026-09&to=2026-10")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Our response times in figures")
    await page.get_by_label("Requests received from").select_option("2026-10")
    await page.get_by_label("to", exact=True).select_option("2026-11")
    await page.get_by_role("button", name="Show this period").click()

    await expect(page.locator(".eyebrow")).to_have_text("October 2026 to November 2026")
    assert (await page.locator(".figures .figure-value").all_inner_texts())[0] == "71"
    await context.close()


@pytest.mark.integration
async def test_a_wrong_period_says_what_to_correct(site: str, page: Page, axe: Axe) -> None:
    answer = await page.goto(f"{site}/rivemont/statistiques?from=2026-11&to=2026-09")

    assert answer and answer.status == 422
    await expect(page.get_by_role("link", name=re.compile("Le dernier mois est avant le premier"))).to_be_visible()
    assert (await page.title()).startswith("Erreur")
    assert await axe(page) == []


@pytest.mark.integration
async def test_the_api_gives_the_same_and_says_what_is_wrong(site: str) -> None:
    async with httpx.AsyncClient(base_url=site, trust_env=False) as http:
        told = (await http.get("/v1/statistics/rivemont", params={"from": "2026-11"})).json()
        empty = (await http.get("/v1/statistics/saint-aubrin")).json()
        wrong = [
            await http.get("/v1/statistics/rivemont", params={"from": value})
            for value in ("2026-13", "2027-01", "2010-01", "hier", "２０２６-11", "")
        ]
        nowhere = await http.get("/v1/statistics/atlantis")
        document = (await http.get("/openapi.json")).json()

    assert (told["first_month"], told["last_month"], told["threshold"]) == ("2026-11-01", "2026-11-01", 11)
    assert told["total"]["received"] == {"amount": 71, "at_least": False}
    amounts = {line["code"]: line["received"]["amount"] for line in told["services"]}
    assert amounts["etat-civil"] == 40
    shares = {line["code"]: (line["within_percent"], line["within_hidden"]) for line in told["services"]}
    assert (shares["etat-civil"], shares["maire"], shares["voirie"]) == ((76, False), (None, True), (None, False))
    assert amounts["maire"] is None
    assert amounts["urbanisme"] is None, "it is large enough, but 71 - 40 - 25 would tell the mayor's 6"
    assert empty["total"]["received"]["amount"] == 0
    assert [answer.status_code for answer in wrong] == [422, 422, 200, 422, 422, 422]
    assert wrong[1].json()["errors"][0]["code"] == "future"
    assert nowhere.status_code == 404
    assert "/v1/statistics/{authority}" in document["paths"]
