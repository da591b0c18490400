"""Every component in every state, in a real browser: accessible, narrow, dark, by keyboard, without scripts."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import uvicorn
from playwright.async_api import Browser, Page

from shared.pages.gallery import PAGES, build_gallery

pytestmark = pytest.mark.e2e
ADDRESSES = (*PAGES, "nowhere", "broken", "form?lang=en", "home?brand=aubin", "errors?brand=aubin", "agent?brand=rives")
FOCUS = "() => { const e = document.activeElement; return e.id || e.getAttribute('href') || e.textContent.trim() }"


@pytest.fixture(scope="module")
async def gallery() -> AsyncIterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        free.listen()
        port = free.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(build_gallery(), log_level="critical", lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[free]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        await running


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_no_violation_and_no_sideways_scroll(
    browser: Browser, axe: Callable[[Page], Awaitable[list[str]]], gallery: str, width: int, scheme: str
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="fr-FR",
    )
    page = await context.new_page()
    for address in ADDRESSES:
        await page.goto(f"{gallery}/{address}")
        assert await axe(page) == [], address
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, address
    await context.close()


async def test_nothing_breaks_the_policy(browser: Browser, gallery: str) -> None:
    page = await browser.new_page(locale="fr-FR")
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    for address in PAGES:
        await page.goto(f"{gallery}/{address}")
    await page.close()

    assert refused == []


async def test_the_keyboard_goes_through_the_page_in_its_order(browser: Browser, gallery: str) -> None:
    page = await browser.new_page(locale="fr-FR")
    await page.goto(f"{gallery}/form")
    seen = []
    for _ in range(11):
        await page.keyboard.press("Tab")
        seen.append(await page.evaluate(FOCUS))
    await page.close()

    assert seen == [
        "#content", "/home", "/form", "/statistics", "field-category-2", "field-lamp", "field-place",
        "field-seen", "field-seen-month", "field-seen-year", "field-text",
    ]  # fmt: skip


async def test_the_skip_link_leads_to_the_content(browser: Browser, gallery: str) -> None:
    page = await browser.new_page(locale="fr-FR")
    await page.goto(f"{gallery}/form")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    focused = await page.evaluate(FOCUS)
    await page.close()

    assert focused == "field-category-2"


async def test_errors_have_the_focus_and_lead_to_their_fields_without_scripts(browser: Browser, gallery: str) -> None:
    context = await browser.new_context(java_script_enabled=False, locale="fr-FR")
    page = await context.new_page()
    await page.goto(f"{gallery}/errors")

    assert await page.locator(".error-summary:focus").count() == 1
    await page.get_by_role("link", name="Indiquez où cela se passe.").click()
    assert await page.locator("#field-place:focus").count() == 1
    await context.close()


@pytest.mark.parametrize(
    "content_type, start",
    [
        ("application/x-www-form-urlencoded", b"text="),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'),
    ],
)
async def test_who_sends_too_much_sees_why(gallery: str, content_type: str, start: bytes) -> None:
    """Over a real connection, where an answer given too early would be lost in a reset."""

    async def in_pieces() -> AsyncIterator[bytes]:
        yield start
        for _ in range(2_000):
            yield b"a" * 1_000

    headers = {"Content-Type": content_type}
    async with httpx.AsyncClient(base_url=gallery) as client:
        chunked = await client.post("/form", content=in_pieces(), headers=headers)
        announced = await client.post("/form", content=start + b"a" * 2_000_000, headers=headers)

    for answer in (chunked, announced):
        assert answer.status_code == 413
        assert "trop volumineux" in answer.text


async def test_targets_are_large_enough_for_a_thumb(browser: Browser, gallery: str) -> None:
    page = await browser.new_page(viewport={"width": 320, "height": 800}, locale="fr-FR")
    await page.goto(f"{gallery}/form")
    small = await page.evaluate(
        """() => [...document.querySelectorAll('a, button, summary, .input, .choice label')]
            .filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"""
    )
    await page.close()

    assert small == []
