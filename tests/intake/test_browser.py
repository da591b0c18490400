"""The public site in a real browser, without JavaScript: accessible, narrow, and usable from the form to the erasure."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, Page, expect

from services.intake.domain.request import TrackedRequest
from shared.app import App

pytestmark = pytest.mark.e2e
Axe = Callable[[Page], Awaitable[list[str]]]
PAGES = (
    "/", "/rivemont", "/saint-aubrin", "/rivemont/demande", "/rivemont/demande/voirie", "/rivemont/demande/maire",
    "/rivemont/demande/etat-civil?category=acte", "/rivemont/demande/culture", "/rivemont/demande/piscine",
    "/rivemont/charte", "/rivemont/mentions", "/rivemont/suivi/perdu", "/rivemont/demande/voirie?category=danger-voirie&lang=en",
)  # fmt: skip


@pytest.fixture(params=[(320, True), (1280, True), (320, False)], ids=["phone", "desk", "phone without scripts"])
async def visitor(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Somebody on a phone or at a desk; on the phone also with JavaScript off, where axe cannot run."""
    width, scripts = request.param
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, locale="fr-FR", timezone_id="Europe/Paris", java_script_enabled=scripts
    )
    context.set_default_timeout(10_000)
    page = await context.new_page()
    page.scripts = scripts  # type: ignore[attr-defined]  # read by is_fine below
    yield page
    await context.close()


@pytest.fixture
def site(intake: App[TrackedRequest]) -> str:
    return f"http://127.0.0.1:{intake.settings.port}"


async def is_fine(page: Page, axe: Axe) -> None:
    """No violation, no sideways scroll; where scripts run, for both are asked by script."""
    await page.wait_for_load_state()
    if not page.scripts:  # type: ignore[attr-defined]  # set by the fixture
        return
    assert await axe(page) == [], page.url
    assert page.viewport_size and await page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], (
        page.url
    )


async def test_every_page_is_accessible(visitor: Page, axe: Axe, site: str) -> None:
    for path in PAGES:
        await visitor.goto(site + path)
        await is_fine(visitor, axe)


async def test_from_the_form_to_the_erasure(visitor: Page, axe: Axe, site: str) -> None:
    await visitor.goto(f"{site}/rivemont")
    await visitor.get_by_role("link", name="Voirie et éclairage public").click()
    await visitor.get_by_role("link", name="Danger sur la voie publique").click()
    await visitor.get_by_role("button", name="Envoyer ma demande").click()
    await is_fine(visitor, axe)
    await expect(visitor.locator(".error-summary a")).to_have_count(4)

    await visitor.get_by_label("Où exactement ?").fill("Avenue de la Gare")
    await visitor.get_by_label("Non").check()
    await visitor.get_by_label("Votre message").fill("Plaque d’égout ouverte.")
    await visitor.get_by_label("Adresse électronique").fill("bruno@courriel.example")
    await visitor.get_by_role("button", name="Envoyer ma demande").click()
    await expect(visitor.get_by_role("heading", name="Merci, votre demande est enregistrée")).to_be_visible()
    await is_fine(visitor, axe)

    await visitor.get_by_label("Votre message au service").fill("Il y a un panneau maintenant.")
    await visitor.get_by_role("button", name="Envoyer").click()
    await expect(visitor.get_by_text("Il y a un panneau maintenant.")).to_be_visible()
    await is_fine(visitor, axe)

    await visitor.get_by_role("link", name="Retirer ma demande").click()
    await is_fine(visitor, axe)
    await visitor.get_by_role("button", name="Oui, retirer ma demande").click()
    await is_fine(visitor, axe)

    await visitor.get_by_role("link", name="Effacer mes données").click()
    await visitor.get_by_role("button", name="Oui, effacer mes données").click()
    await expect(visitor.get_by_role("heading", name="Demande effacée")).to_be_visible()
    await expect(visitor.get_by_text("Plaque d’égout ouverte.")).to_have_count(0)
    await is_fine(visitor, axe)
