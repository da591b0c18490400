"""The notifier: its pure part with plain values; and whole, on a real PostgreSQL and a real mail sink, without Kafka."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.local import address, folders, ports
from deploy.local.mailsink import MailSink
from services.notifier.app import build
from services.notifier.compose import Composer, Mail
from services.notifier.domain.correspondence import Correspondence
from services.notifier.service import NOTIFIER
from services.notifier.settings import NotifierSettings
from shared.actions.link import Links
from shared.app import App
from shared.clock import FileClock
from shared.db.migrate import migrate
from shared.db.rights import role_of
from shared.delivery.service import Context
from shared.delivery.values import Input
from shared.events import handling, notifications, requests
from shared.events.content import AgentAct, Content, UsagerMessage
from shared.events.topics import SERVICES
from shared.identifiers import RequestIds
from shared.organisation import Authority, load
from shared.vault.keys import INSERT_KEYS
from shared.vault.seal import RequestKey, Vault
from tests.conftest import fresh_database

ORGANISATION = folders.ROOT / "deploy" / "organisation"
REQUEST = UUID("01890000-0000-7000-8000-000000000001")
AT = datetime(2026, 11, 24, 9, 12, 33, tzinfo=UTC)
"""A Tuesday, 10:12 in Rivemont."""
KEYS = f"1:{base64.b64encode(bytes(range(32))).decode()}"
LINK_KEY = base64.b64encode(bytes(32)).decode()


@dataclass
class Story:
    """The facts of one request, as the other services would tell them, sealed under a key of its own."""

    request_id: UUID = REQUEST
    authority: str = "rivemont"
    key: RequestKey = field(default_factory=lambda: RequestKey(bytes(range(32))))
    at: datetime = AT
    version: int = 2

    def received(self, **more: Any) -> requests.RequestReceived:
        """The request comes in. `more`: fields of the event, or of Content."""
        content: dict[str, Any] = {
            "name": "Solène Vautrin",
            "email": "solene.vautrin@courriel.example",
            "phone": "06 12 34 56 78",
            "text": "Le lampadaire devant chez moi est éteint depuis lundi.",
            "answers": {"lieu": "12 rue des Lilas"},
            "tracking_token": "Zm9ydHktdHdvIGJ5dGVzIQ",
        }
        content |= {name: more.pop(name) for name in list(more) if name in content}
        promise = requests.Promise(
            code="defaut",
            kind="taking_charge",
            label="Toute demande, prise en compte en 48 heures d’ouverture",
            start_at=self.at,
            working_seconds=48 * 3600,
            warn_at=self.at + timedelta(days=5),
            due_at=datetime(2026, 12, 1, 13, 0, tzinfo=UTC),
            calendar="technique",
            calendar_version=1,
            ladder="ordinaire",
        )
        told = {
            "reference": "K7M-2Q9-XC4", "channel": "web", "service": "voirie", "category": "eclairage", "language": "fr",
            "demande": False, "promise": promise, "unowned_due_at": self.at + timedelta(minutes=30), "at": self.at,
            "sealed": self.key.seal(self.request_id, Content(**content)),
        }  # fmt: skip
        return requests.RequestReceived(request_id=self.request_id, authority=self.authority, **(told | more))

    def life(self, cls: type[Any], **more: Any) -> Any:
        """The next event of the life; `agent_text` and `usager_text` are sealed into it."""
        if (text := more.pop("agent_text", None)) is not None:
            more["sealed"] = self.key.seal(self.request_id, AgentAct(agent="voirie@rivemont.example", text=text))
        if (text := more.pop("usager_text", None)) is not None:
            more["sealed"] = self.key.seal(self.request_id, UsagerMessage(text=text))
        told = {"version": self.version, "status": "assigned", "service": "voirie", "at": self.at + timedelta(hours=self.version)}
        self.version += 1
        return cls(request_id=self.request_id, authority=self.authority, **(told | more))

    def assigned(self, **more: Any) -> handling.RequestAssigned:
        event: handling.RequestAssigned = self.life(handling.RequestAssigned, **({"reason": "chosen"} | more))
        return event

    def escalation(self, cls: type[Any], **more: Any) -> Any:
        told = {"promise": "taking_charge", "service": "voirie", "due_at": datetime(2026, 12, 1, 13, 0, tzinfo=UTC)}
        told |= {"at": self.at + timedelta(days=7)}
        return cls(request_id=self.request_id, authority=self.authority, **(told | more))

    def erased(self) -> requests.RequestErased:
        return requests.RequestErased(request_id=self.request_id, authority=self.authority, at=self.at + timedelta(days=1))


@pytest.fixture(scope="session")
def rivemont() -> Authority:
    """The invented town."""
    return load(ORGANISATION).authority("rivemont")


@pytest.fixture
def story() -> Story:
    return Story()


@cache
def composer() -> Composer:
    """One for the run: making sheets takes time."""
    return Composer(Links(bytes(32)), agents_url="https://agents.rivemont.example", site_url="https://demarches.rivemont.example")


@dataclass
class Notifier:
    """The notifier's step on one request, and its letters as mails."""

    authority: Authority
    known: Correspondence | None = None
    said: list[Any] = field(default_factory=list)
    composer: Composer = field(default_factory=composer)

    def take(self, *inputs: Any) -> tuple[Any, ...]:
        """Take facts or commands in this order; return what was said of letters."""
        told: list[Any] = []
        for one in inputs:
            fact = hasattr(one, "type_")
            change = NOTIFIER.step(self.known, one, Context(AT + timedelta(days=8), self.authority, REQUEST), fact=fact)
            self.known = change.state
            told += change.events
        self.said += told
        return tuple(told)

    @property
    def due(self) -> set[str]:
        """The names of the letters that could be sent now."""
        return set(self.known.due_letters) if self.known else set()

    def mail(self, name: str, story: Story) -> Mail:
        """Compose a letter."""
        assert self.known is not None
        return self.composer.compose(
            name,
            self.known.letters[name],
            self.known,
            request_id=story.request_id,
            authority=self.authority,
            key=story.key,
            now=AT + timedelta(minutes=1),
        )


@pytest.fixture
def notifier(rivemont: Authority) -> Notifier:
    return Notifier(rivemont)


@dataclass
class Office:
    """The running notifier. `tell` is what Kafka would bring; `outcomes` is what it said of letters."""

    app: App[Correspondence]
    admin_dsn: str
    folder: Path
    settings: NotifierSettings
    vault: Vault

    def story(self) -> Story:
        """A new request, its key not stored yet."""
        ids = RequestIds(self.app.clock)
        return Story(request_id=ids.new(), at=self.app.clock.now(), key=RequestKey(secrets.token_bytes(32)))

    async def store_keys(self, *stories: Story) -> None:
        """Write the keys of requests, as intake does when it accepts them."""
        rows = [(one.request_id, one.authority, self._wrapped(one)) for one in stories]
        connection = await asyncpg.connect(self.admin_dsn)
        await connection.execute(INSERT_KEYS, *[list(column) for column in zip(*rows, strict=True)])
        await connection.close()

    def _wrapped(self, story: Story) -> bytes:
        key, wrapped = self.vault.new_key(story.request_id)
        story.key = key
        return wrapped

    async def tell(self, *facts: Any) -> None:
        """Let facts come in."""
        await self.app.shell.run([Input(one.request_id, one.authority, one, fact=True) for one in facts], lane="test")
        self.app.shell.on_commit()

    async def outcomes(self) -> list[Any]:
        """What was said of letters so far, in order."""
        rows = await self.query("SELECT type, value FROM notifier.outbox ORDER BY id")
        classes = {cls.type_: cls for cls in (notifications.MailSent, notifications.MailFailed)}
        return [classes[row["type"]].model_validate_json(row["value"]) for row in rows]

    async def query(self, sql: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            return list(await connection.fetch(sql))
        finally:
            await connection.close()

    def move(self, by: timedelta) -> None:
        """Move the clock."""
        FileClock.write(self.folder / "clock.json", shown=self.app.clock.now() + by, speed=1.0)

    async def until(self, reached: Any, *, timeout_seconds: float = 15) -> None:
        """Wait until an async condition holds."""
        async with asyncio.timeout(timeout_seconds):
            while not await reached():
                await asyncio.sleep(0.05)

    async def until_quiet(self, *, timeout_seconds: float = 15) -> None:
        """Wait until no letter is left to send."""

        async def quiet() -> bool:
            return not await self.query("SELECT 1 FROM notifier.letter LIMIT 1")

        await self.until(quiet, timeout_seconds=timeout_seconds)


async def prepare(admin_dsn: str, folder: Path, smtp: str) -> NotifierSettings:
    """Migrate a database and return the notifier's settings on it."""
    passwords = {service: secrets.token_hex(8) for service in SERVICES}
    address_of = admin_dsn.split("@", 1)[1]
    dsns = {service: f"postgresql://{role_of(service)}:{passwords[service]}@{address_of}" for service in SERVICES}
    await migrate(admin_dsn, dsns, lambda message: None)
    FileClock.write(folder / "clock.json", shown=AT, speed=1.0)
    told: dict[str, Any] = {
        "kafka": f"127.0.0.1:{ports.free_port()}", "organisation": ORGANISATION, "clock_file": folder / "clock.json",
        "keys": KEYS, "link_key": LINK_KEY, "database": dsns["notifier"], "port": ports.free_port(), "smtp": smtp,
        "site_url": "http://site.test", "agents_url": "http://agents.test",
    }  # fmt: skip
    return NotifierSettings(**told)


@asynccontextmanager
async def running(app: App[Correspondence]) -> AsyncIterator[None]:
    """Serve until the end of the block."""
    stopping = asyncio.Event()
    serving = asyncio.create_task(app.serve(stopping))
    try:
        yield
    finally:
        stopping.set()
        await serving


@pytest.fixture
async def office(postgres_server: address.Postgres, mail_sink: MailSink, tmp_path: Path) -> AsyncIterator[Office]:
    """The notifier whole, with a database of its own and an empty sink."""
    async with fresh_database(postgres_server.dsn) as dsn:
        settings = await prepare(dsn, tmp_path, mail_sink.smtp)
        app = await build(settings)
        app.shell.gate.trust()  # no Kafka here: nothing to compare the database with
        async with running(app):
            yield Office(app, dsn, tmp_path, settings, Vault.from_text(KEYS))
