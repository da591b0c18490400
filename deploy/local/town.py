"""The five services as five processes on given servers: what the demo shows and the end-to-end tests drive.

Makes the secrets, migrates, creates the topics, starts the services and waits until each is ready. Everything it
writes is in `folder`, in a database of its own and in topics that were empty; the processes end with `stop`. On a server where
somebody else's installation is, it refuses to begin.
"""

import asyncio
import base64
import secrets
import shlex
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from deploy.local import folders, ports
from deploy.local.installation import DEMO_PREFIX, delete_topics, refuse_used_roles, refuse_used_topics
from deploy.local.process import ServerProcess
from deploy.local.readiness import wait_until
from shared.clock import FileClock, SystemClock
from shared.db.migrate import migrate
from shared.db.rights import role_of
from shared.delivery.closing import close
from shared.delivery.errors import UNAVAILABLE
from shared.events.broker import create_topics
from shared.events.topics import SERVICES, consumed_by

ORGANISATION = folders.ROOT / "deploy" / "organisation"
_READY_SECONDS = 40


def names_of(service: str, count: int) -> tuple[str, ...]:
    """Return how the processes of a service are called: "router-0" and "router-1"; one alone "router"."""
    return tuple(f"{service}-{number}" for number in range(count)) if count > 1 else (service,)


def service_of(name: str) -> str:
    """Return the service that a process is a copy of, by the name of the process."""
    return name.partition("-")[0]


def _quiet(_message: str) -> None:
    """Tell nobody."""


class Town:
    """An installation. `url(service)` is where a service listens; `environment(name)` is all that a process of it is told.

    `copies`: how many processes a service has, where these are not one; see `names_of`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        kafka: str,
        admin_dsn: str,
        smtp: str,
        shared_clock: bool = False,
        copies: Mapping[str, int] = {},
    ) -> None:
        self.folder = folder.resolve()
        self.kafka = kafka
        self._server_dsn, self._database = admin_dsn, f"{DEMO_PREFIX}{secrets.token_hex(4)}"
        self.admin_dsn = urlsplit(admin_dsn)._replace(path=f"/{self._database}").geturl()
        self.smtp = smtp
        self.clock_file = self.folder / "clock.json" if shared_clock else None
        self._names = {service: names_of(service, copies.get(service, 1)) for service in SERVICES}
        self.ports = {name: ports.free_port() for name in self.names()}
        self.processes: dict[str, ServerProcess] = {}
        self.extra: dict[str, str] = {}
        """More environment for services started from now on (a named point to die at, say)."""
        self._passwords = {service: secrets.token_hex(12) for service in SERVICES}
        self._keys = f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}"
        self._link_key = base64.b64encode(secrets.token_bytes(32)).decode()
        self._created_topics: list[str] = []

    def names(self, *of: str) -> tuple[str, ...]:
        """The processes of services, or those that are named themselves; all of them, when nothing is named."""
        return tuple(name for one in of or SERVICES for name in self._names.get(one, (one,)))

    def url(self, service: str) -> str:
        """Where the pages and the API of a service are (of its first process), or of one process."""
        return f"http://127.0.0.1:{self.ports[self.names(service)[0]]}"

    def dsn(self, service: str) -> str:
        """The database address of a service's own role."""
        parts = urlsplit(self.admin_dsn)
        place = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=f"{role_of(service)}:{self._passwords[service]}@{place}").geturl()

    def environment(self, name: str) -> dict[str, str]:
        """What a process is told. Least privilege: only those who may open personal data get the keys."""
        service = service_of(name)
        told = {
            "AIGUILLEUR_KAFKA": self.kafka,
            "AIGUILLEUR_ORGANISATION": str(ORGANISATION),
            "AIGUILLEUR_SITE_URL": self.url("intake"),
            "AIGUILLEUR_AGENTS_URL": self.url("router"),
            f"AIGUILLEUR_{service.upper()}_DATABASE": self.dsn(service),
            f"AIGUILLEUR_{service.upper()}_PORT": str(self.ports[name]),
            "PYTHONPATH": str(folders.ROOT),
        }
        if name != service:
            told["AIGUILLEUR_INSTANCE"] = name.rpartition("-")[2]
        if self.clock_file is not None:
            told["AIGUILLEUR_CLOCK_FILE"] = str(self.clock_file)
        if service in ("intake", "router", "notifier"):
            told["AIGUILLEUR_KEYS"] = self._keys
        if service in ("router", "notifier"):
            told["AIGUILLEUR_LINK_KEY"] = self._link_key
        if service == "notifier":
            told["AIGUILLEUR_SMTP"] = self.smtp
        return told | self.extra

    def command_environment(self) -> dict[str, str]:
        """What the command line is told: everything."""
        told = {"AIGUILLEUR_ADMIN_DATABASE": self.admin_dsn}
        for service in SERVICES:
            told |= self.environment(self.names(service)[0])
        return told

    def set_clock(self, shown: datetime, *, speed: float) -> None:
        """Move the clock of all services; needs `shared_clock`."""
        if self.clock_file is None:
            raise RuntimeError("this town runs on the system's clock; make it with shared_clock=True")
        FileClock.write(self.clock_file, shown=shown, speed=speed)

    def now(self) -> datetime:
        """The instant that the services see."""
        return (FileClock(self.clock_file) if self.clock_file else SystemClock()).now()

    async def prepare(self, tell: Callable[[str], None] = _quiet) -> None:
        """Create and migrate the database, create the topics. Raises StartError where another installation is."""
        await refuse_used_topics(self.kafka)
        await self.prepare_database(tell)
        self._created_topics = await create_topics(self.kafka)
        tell(f"topics: {len(self._created_topics)} created")

    async def prepare_database(self, tell: Callable[[str], None] = _quiet) -> None:
        """Create the database if it is not there, and migrate it. Raises StartError where another installation is."""
        await refuse_used_roles(self._server_dsn)
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.clock_file is not None and not self.clock_file.exists():
            self.set_clock(SystemClock().now(), speed=1.0)
        server = await asyncpg.connect(self._server_dsn)
        try:
            if not await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", self._database):
                await server.execute(f'CREATE DATABASE "{self._database}"')
        finally:
            await server.close()
        await migrate(self.admin_dsn, {service: self.dsn(service) for service in SERVICES}, tell)

    async def remove(self) -> None:
        """Remove the database and the topics that `prepare` created: for servers that stay. The roles stay, without rights."""
        server = await asyncpg.connect(self._server_dsn)
        try:
            await server.execute(f'DROP DATABASE IF EXISTS "{self._database}" WITH (FORCE)')
        finally:
            await server.close()
        if self._created_topics:
            await delete_topics(self.kafka, self._created_topics)

    def start(self, *services: str) -> None:
        """Start services (all of them, when none is named) and wait until each is ready. Raises StartError."""
        wanted = self.names(*services)
        for name in wanted:
            self.launch(name)
        for name in wanted:
            self.wait_ready(name, self.processes[name])

    def launch(self, name: str) -> None:
        """Start a process without waiting for it."""
        self.processes[name] = ServerProcess(
            [sys.executable, "-m", f"services.{service_of(name)}"],
            log_file=self.folder / f"{name}.log",
            pid_file=self.folder / f"{name}.pid",
            environment=self.environment(name),
        )

    def start_supervised(self) -> None:
        """Start all services under a supervisor (honcho): one ending ends all, and its output says why."""
        lines = []
        for name in self.names():
            pairs = " ".join(shlex.quote(f"{key}={value}") for key, value in self.environment(name).items())
            lines.append(f"{name}: env {pairs} {shlex.quote(sys.executable)} -m services.{service_of(name)}")
        procfile = self.folder / "Procfile"
        procfile.touch(mode=0o600)
        procfile.write_text("\n".join(lines) + "\n")
        code = "from honcho.command import main; main()"
        supervisor = ServerProcess(
            [sys.executable, "-c", code, "-f", procfile, "-d", folders.ROOT, "start"],
            log_file=self.folder / "services.log",
            pid_file=self.folder / "services.pid",
        )
        self.processes["supervisor"] = supervisor
        for name in self.names():
            self.wait_ready(name, supervisor)

    def wait_ready(self, name: str, process: ServerProcess | None = None) -> None:
        """Return when a process says that it is ready. Raises StartError with the end of its log."""

        async def answers() -> None:
            async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
                (await http.get(f"{self.url(name)}/ready")).raise_for_status()

        server = process or self.processes[name]
        wait_until(answers, server=server, name=f"the service {name}", timeout_seconds=_READY_SECONDS)

    def kill(self, service: str) -> None:
        """kill -9 one service."""
        for name in self.names(service):
            self.processes[name].kill()

    def stop(self) -> None:
        """End all services in an orderly way."""
        for process in self.processes.values():
            process.send(signal.SIGTERM)
        for process in self.processes.values():
            process.stop()
        self.processes.clear()

    async def settle(self, *, timeout_seconds: float = 60) -> None:
        """Return when nothing is under way any more: outboxes empty, logs read to their ends, no letter due.

        Raises TimeoutError, saying what was still under way.
        """
        deadline = time.monotonic() + timeout_seconds
        while busy := await self.under_way():
            if time.monotonic() > deadline:
                raise TimeoutError(f"still under way after {timeout_seconds:.0f} s: {busy}")
            await asyncio.sleep(0.1)

    async def under_way(self) -> dict[str, int]:
        """What is still to be done, by name; empty when all is quiet (seen twice, as things pass between services).

        While a server does not answer nobody knows, and its error stands for what may be left.
        """
        try:
            return await self._look() or await self._look()
        except (KafkaError, *UNAVAILABLE) as error:
            return {type(error).__name__: 1}

    async def _look(self) -> dict[str, int]:
        busy: dict[str, int] = {}
        database = await asyncpg.connect(self.admin_dsn)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        try:
            await consumer.start()
            for service in SERVICES:
                pending = await database.fetchval(f"SELECT count(*) FROM {service}.outbox WHERE published_at IS NULL")  # noqa: S608
                rows = await database.fetch(f"SELECT topic, partition, next_offset FROM {service}.position")  # noqa: S608
                position = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
                lags: dict[str, int] = {}
                for topic in consumed_by(service):
                    places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
                    ends = await consumer.end_offsets(places)
                    lags[f"{service} lag in {topic.name}"] = sum(
                        max(0, end - position.get((place.topic, place.partition), 0)) for place, end in ends.items()
                    )
                busy |= {name: count for name, count in {f"{service} outbox": pending, **lags}.items() if count}
            letters = await database.fetchval("SELECT count(*) FROM notifier.letter")
            return busy | ({"letters": letters} if letters else {})
        finally:
            await close(consumer)
            await database.close()

    async def __aenter__(self) -> Self:
        await self.prepare()
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
