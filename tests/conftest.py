"""Real servers for the tests, each started once per run and only when a test asks for it.

A server that can't start fails its tests: nothing is skipped. After a failed run its data and logs stay in
`.local/run/<pid>/` until the next run.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import pytest
from playwright.async_api import Browser, Page, async_playwright

from deploy.local import address, folders
from deploy.local import browser as local_browser
from deploy.local.installation import TEST_PREFIX, refuse_used_roles
from deploy.local.mailsink import MailSink
from tests.scene import Scene

hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")  # an example that takes long says only that others use the machine

_ACCESSIBILITY_TAGS = ["RGAAv4", "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest: of several workers none is to have minutes left when the others are done."""
    items.sort(key=lambda item: "recovery" not in item.path.parts)


@pytest.fixture(scope="session")
def run_folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    folders.sweep_dead_runs()
    folder = folders.own_run()
    yield folder
    if request.session.testsfailed:
        print(f"\nlogs and data of the servers: {folder}")
    else:
        folders.remove(folder)


@pytest.fixture(scope="session")
def kafka_server(run_folder: Path) -> Iterator[address.Kafka]:
    """`.bootstrap`; `.kill()`, `.restart()`, `.pause()`, `.resume()`. Leave it running. No topic exists."""
    with address.kafka_server(run_folder / "kafka") as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server(run_folder: Path) -> Iterator[address.Postgres]:
    """`.dsn` of the administrator; `.kill()`, `.restart()`, `.pause()`, `.resume()`. Leave it running."""
    with address.postgres_server(run_folder / "postgres") as server:
        yield server


@asynccontextmanager
async def fresh_database(admin_dsn: str) -> AsyncIterator[str]:
    await refuse_used_roles(admin_dsn)  # a server that was given may be somebody's
    name = f"{TEST_PREFIX}{secrets.token_hex(6)}"
    admin = await asyncpg.connect(admin_dsn)
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
    finally:
        await admin.close()
    try:
        yield f"{admin_dsn.rsplit('/', 1)[0]}/{name}"
    finally:
        admin = await asyncpg.connect(admin_dsn)  # a new one: the test may have restarted the server
        try:
            await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        finally:
            await admin.close()


@pytest.fixture
async def database(postgres_server: address.Postgres) -> AsyncIterator[str]:
    """The administrator's DSN of an empty database that only this test sees."""
    async with fresh_database(postgres_server.dsn) as dsn:
        yield dsn


@pytest.fixture(scope="module")
async def module_database(postgres_server: address.Postgres) -> AsyncIterator[str]:
    """The administrator's DSN of a database shared by one module's tests."""
    async with fresh_database(postgres_server.dsn) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def running_mail_sink(run_folder: Path) -> Iterator[MailSink]:
    with MailSink(run_folder / "mail") as sink:
        yield sink


@pytest.fixture
def mail_sink(running_mail_sink: MailSink) -> Iterator[MailSink]:
    """Empty and well-behaved at the start of each test."""
    running_mail_sink.clear()
    running_mail_sink.behave()
    yield running_mail_sink
    running_mail_sink.behave()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    options: Any = local_browser.chromium().launch_options()  # Playwright types each option by itself
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(**options)
        yield running
        await running.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A fresh French visitor: no cookie, no history."""
    context = await browser.new_context(locale="fr-FR", timezone_id="Europe/Paris")
    yield await context.new_page()
    await context.close()


@pytest.fixture(scope="session")
def axe_source() -> str:
    return local_browser.axe_source()


@pytest.fixture
def axe(axe_source: str) -> Callable[[Page], Awaitable[list[str]]]:
    """`await axe(page)` lists the violations of RGAA and WCAG 2.2 AA, one readable line each."""

    async def violations(page: Page) -> list[str]:
        await page.evaluate(axe_source)  # not a script tag: the pages' own policy forbids those
        found = await page.evaluate(
            "tags => axe.run({runOnly: {type: 'tag', values: tags}}).then(result => result.violations)",
            _ACCESSIBILITY_TAGS,
        )
        return [
            f"{violation['id']}: {violation['help']} at {node['target']}: {node['html'][:200]}"
            for violation in found
            for node in violation["nodes"]
        ]

    return violations


@asynccontextmanager
async def open_scene(folder: Path) -> AsyncIterator[Scene]:
    scene = Scene(folder)
    try:
        await scene.open()
        yield scene
    finally:
        scene.close()


@pytest.fixture
async def scene(run_folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    """The five services on servers that only this test sees, and may kill."""
    async with open_scene(run_folder / "scenes" / request.node.name) as scene:
        yield scene


@pytest.fixture(scope="module")
async def town_scene(run_folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    """The five services on servers of this module's own; its tests share them and kill nothing."""
    async with open_scene(run_folder / "scenes" / request.module.__name__) as scene:
        yield scene
