"""The agents' pages in a real browser: every page and state accessible, on a phone and on a desk, without a script."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from shared.actions.link import LinkAction
from shared.events import requests
from tests.router.conftest import CONTENT, MONDAY, Office

pytestmark = pytest.mark.e2e
Axe = Callable[[Page], Awaitable[list[str]]]
PICTURES: Path | None = None
"""A folder, when the pages are to be looked at."""


class Visit:
    """An agent at a screen: each page that they come to is checked."""

    def __init__(self, page: Page, axe: Axe, office: Office, width: int) -> None:
        self.page, self.axe, self.office, self.width = page, axe, office, width
        self.seen = 0

    async def open(self, token: str, name: str) -> None:
        """Follow a link."""
        await self.page.goto(f"{self.office.url}/a/{token}")
        await self.check(name)

    async def send(self, button: str, name: str) -> None:
        """Press the form's button."""
        await self.page.get_by_role("button", name=button, exact=True).click()
        await self.check(name)

    async def check(self, name: str) -> None:
        """Look at the page with axe, and for a sideways scroll."""
        self.seen += 1
        if PICTURES:
            await self.page.screenshot(path=PICTURES / f"{name}-{self.width}.png", full_page=True)
        assert await self.axe(self.page) == [], name
        assert await self.page.evaluate("document.documentElement.scrollWidth") <= self.width, name
        assert await self.page.locator("h1").count() == 1, name


@pytest.mark.parametrize("width", [320, 1280])
async def test_every_page_and_state_is_accessible(browser: Browser, axe: Axe, office: Office, width: int) -> None:
    context = await browser.new_context(viewport={"width": width, "height": 800}, locale="fr-FR", java_script_enabled=True)
    page = await context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "status of" not in message.text else None)
    visit = Visit(page, axe, office, width)

    await _look_at_each_action(visit)
    await _act_and_be_refused(visit)
    await _come_too_late(visit)
    await context.close()

    assert visit.seen == 22
    assert refused == []


async def _look_at_each_action(visit: Visit) -> None:
    office = visit.office
    request_id = await office.receive()
    actions: tuple[LinkAction, ...] = ("view", "take_charge", "ask", "answer", "transfer", "resolve")
    for action in actions:
        await visit.open(office.token(request_id, action), action)
    await visit.open(office.token(request_id, "answer") + "?lang=en", "answer-english")
    await visit.open(office.token(request_id, "answer") + "?lang=fr", "answer-french")
    office.set_clock(MONDAY + timedelta(days=9))
    await visit.open(office.token(request_id, "take_charge"), "overdue")
    office.set_clock(MONDAY)


async def _act_and_be_refused(visit: Visit) -> None:
    office, page = visit.office, visit.page
    request_id = await office.receive(
        content=CONTENT.model_copy(update={"text": "a" * 400 + "\n" + "<b>" * 50, "name": "É" * 200})
    )
    taken = office.token(request_id, "take_charge")
    await visit.open(taken, "take-charge-long")
    await visit.send("Prendre en charge", "taken")
    await page.get_by_role("link", name="Répondre à l’usager").click()
    await visit.send("Envoyer la réponse", "answer-missing")
    assert await page.locator(".error-summary:focus").count() == 1
    await page.get_by_label("Votre réponse").fill("Bonjour,\nc’est réparé.")
    await visit.send("Envoyer la réponse", "answered")
    await visit.open(taken, "taken-already")
    await page.get_by_role("link", name="Transférer à un autre service").click()
    await visit.send("Transférer", "transfer-missing")
    await page.get_by_label("Vers quel service ?").select_option("proprete")
    await visit.send("Transférer", "transferred")
    await visit.open(office.token(request_id, "resolve", version=3), "not-yours")


async def _come_too_late(visit: Visit) -> None:
    office, page = visit.office, visit.page
    request_id = await office.receive()
    await page.goto(f"{office.url}/a/{office.token(request_id, 'answer')}")
    await page.get_by_label("Votre réponse").fill("Ma réponse")
    await office.take(request_id, requests.WithdrawalAsked(request_id=request_id, authority="rivemont", at=MONDAY))
    await visit.send("Envoyer la réponse", "withdrawn-meanwhile")
    await office.erase(request_id)
    await visit.open(office.token(request_id, "answer"), "erased")
    await visit.open("no-token", "no-link")
    ended = office.token(request_id, "answer", expires_at=MONDAY - timedelta(days=1))
    await visit.open(ended, "expired")
    other = await office.receive()
    await page.goto(f"{office.url}/a/{office.token(other, 'answer')}")
    await page.get_by_label("Votre réponse").fill("Ma réponse")
    added = requests.InformationAdded(request_id=other, authority="rivemont", at=MONDAY, sealed="QUJD")
    await office.take(other, added)
    await visit.send("Envoyer la réponse", "changed-meanwhile")


async def test_an_agent_answers_from_a_phone_without_scripts(browser: Browser, office: Office) -> None:
    context = await browser.new_context(viewport={"width": 320, "height": 640}, locale="fr-FR", java_script_enabled=False)
    page = await context.new_page()
    request_id = await office.receive()

    await page.goto(f"{office.url}/a/{office.token(request_id, 'take_charge')}")
    await page.get_by_role("button", name="Prendre en charge", exact=True).click()
    await page.get_by_role("link", name="Répondre à l’usager").click()
    await page.get_by_label("Votre réponse").fill("C’est réparé.")
    await page.get_by_role("button", name="Envoyer la réponse").click()
    await page.get_by_role("heading", name="Votre réponse est enregistrée").wait_for()
    await page.reload()

    assert await page.get_by_role("heading", name="C’est déjà fait").count() == 1
    assert (await office.life(request_id)).status == "answered"
    await context.close()
