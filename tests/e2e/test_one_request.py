"""One request through all five services, in a real browser: form, mail, link, act, tracking page, statistics."""

import re
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from playwright.async_api import Page

from tests.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

REFERENCE = re.compile(r"[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{3}")
Axe = Callable[[Page], Awaitable[list[str]]]


async def _send_through_the_form(page: Page, scene: Scene) -> str:
    await page.goto(f"{scene.town.url('intake')}/rivemont")
    await page.get_by_role("link", name="Voirie et éclairage public").click()
    await page.get_by_role("link", name="Danger sur la voie publique").click()
    await page.get_by_label("Où exactement ?").fill("avenue de la Gare, devant le 112")
    await page.get_by_label("Non", exact=True).check()
    await page.get_by_label("Votre message").fill("Plaque d'égout ouverte au milieu de la piste cyclable.")
    await page.get_by_label("Adresse électronique").fill("bruno@courriel.example")
    await page.get_by_label("Nom et prénom").fill("Bruno Ketterlé")
    await page.get_by_role("button", name="Envoyer ma demande").click()
    found = REFERENCE.search(await page.inner_text("main"))
    assert found, await page.inner_text("main")
    return found.group()


async def _follow(page: Page, scene: Scene, reference: str, *, to: str, label: str) -> None:
    """Open the link of the mail that is labelled so, as an agent does in their mailbox."""
    mails = await scene.sink.wait_for(to=to, subject=reference, timeout_seconds=30)
    await page.set_content(mails[0]["html"])
    await page.get_by_role("link", name=label).click()


async def test_from_the_form_to_the_statistics(town_scene: Scene, page: Page, axe: Axe) -> None:
    scene = town_scene
    reference = await _send_through_the_form(page, scene)
    assert await axe(page) == []
    tracking = page.url
    receipt = (await scene.sink.wait_for(to="bruno@courriel.example", subject=reference))[0]
    assert "Voirie" in receipt["text"] and "99750" in receipt["text"]  # the service in charge, and where it is

    voirie = "voirie@rivemont.example"
    await _follow(page, scene, reference, to=voirie, label="Prendre en charge")
    assert "Plaque d'égout ouverte" in await page.inner_text("main")
    assert await axe(page) == []
    await page.get_by_role("button", name="Prendre en charge").click()
    assert await axe(page) == []
    await page.get_by_role("link", name="Répondre à l’usager").click()
    await page.get_by_label("Votre réponse").fill("L'équipe d'astreinte a remis la plaque et l'a scellée.")
    await page.get_by_role("button", name="Envoyer la réponse").click()
    await page.get_by_role("link", name="Clore la demande comme résolue").click()
    await page.get_by_role("button", name="Clore la demande").click()
    await scene.town.settle()

    answer = await scene.sink.wait_for(to="bruno@courriel.example", subject=reference, count=3)
    assert any("remis la plaque" in mail["text"] for mail in answer)
    await page.goto(tracking)
    told = await page.inner_text("main")
    assert "remis la plaque" in told and "close par le service" in told
    assert await axe(page) == []
    await _counted(scene, page, axe)


async def _counted(scene: Scene, page: Page, axe: Axe) -> None:
    database = await asyncpg.connect(scene.town.admin_dsn)
    try:
        rows = await database.fetch("SELECT measure, sum(amount) AS amount FROM stats.cell WHERE service = 'voirie' GROUP BY 1")
    finally:
        await database.close()
    counted = {row["measure"]: row["amount"] for row in rows}
    assert counted["received"] == 1 and counted["taken_in_charge"] == 1 and counted["resolved"] == 1
    await page.goto(f"{scene.town.url('stats')}/rivemont/statistiques")
    assert "moins de 11" in await page.inner_text("main")  # one request is never published as one
    assert await axe(page) == []


async def test_an_old_link_says_what_happened_meanwhile(town_scene: Scene, page: Page, axe: Axe) -> None:
    scene = town_scene
    reference = await _send_through_the_form(page, scene)
    await _follow(page, scene, reference, to="voirie@rivemont.example", label="Prendre en charge")
    link = page.url
    await page.get_by_role("button", name="Prendre en charge").click()
    await page.goto(link)
    assert (
        "pris en charge" in (await page.inner_text("main")).lower()
        or "prise en charge" in (await page.inner_text("main")).lower()
    )
    assert await page.get_by_role("button", name="Prendre en charge").count() == 0
    assert await axe(page) == []


async def test_usager_withdraws_on_the_tracking_page(town_scene: Scene, page: Page) -> None:
    scene = town_scene
    reference = await _send_through_the_form(page, scene)
    tracking = page.url
    await scene.town.settle()
    await page.goto(tracking)
    await page.get_by_role("link", name=re.compile("[Rr]etirer")).click()
    await page.get_by_role("button", name=re.compile("[Rr]etirer")).click()
    await scene.town.settle()
    note = await scene.sink.wait_for(to="voirie@rivemont.example", subject=reference, count=2)
    assert note
    await page.goto(tracking)
    assert "retirée" in (await page.inner_text("main")).lower()
