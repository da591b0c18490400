"""A town of a test's own, on servers that may be killed."""

import asyncio
import os
import sys
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from deploy.local.kafka import KafkaServer
from deploy.local.mailsink import MailSink
from deploy.local.postgres import PostgresServer
from deploy.local.town import Town
from tests.judge.checker import violations
from tests.judge.evidence import Evidence, History
from tests.judge.gathering import gather
from tests.judge.published import ask_for_statistics
from tests.judge.writings import in_files


class Scene:
    """Kafka, PostgreSQL, mail sink and the five services, all local processes."""

    initdb: tuple[str, ...] = ()
    """Options of the database cluster that is made."""

    def __init__(self, folder: Path) -> None:
        self.history = History(addressless=set())  # whoever writes to a town of a test's own gives an address
        self.kafka = KafkaServer(folder / "kafka")
        self.postgres = PostgresServer(folder / "postgres", initdb=self.initdb)
        self.sink = MailSink(folder / "mail")
        self.town = self._build(folder / "town")

    def _build(self, folder: Path) -> Town:
        """Start the servers, and make the town that stands on them."""
        for server in (self.kafka, self.postgres, self.sink):
            server.start()
        return Town(folder, kafka=self.kafka.bootstrap, admin_dsn=self.postgres.dsn, smtp=self.sink.smtp, shared_clock=True)

    def close(self) -> None:
        """End everything."""
        self.town.stop()
        for server in (self.sink, self.postgres, self.kafka):
            server.stop()

    async def heal_and_check(self) -> Evidence:
        """Let all come to rest, move the clock on until every delay has run out, and ask the checker."""
        evidence, broken = await self.heal_and_look()
        assert not broken, f"{len(broken)} violations, such as\n" + "\n".join(broken[:40])
        assert self.history.accepted, "the load must have been accepted"
        return evidence

    async def heal_and_look(self, *, climb: bool = True) -> tuple[Evidence, list[str]]:
        """As `heal_and_check`, and return what was found and every violation.

        Without `climb` the clock stays where it is: what is not due yet is not waited for, and the checker is not thorough.
        """
        history = self.history
        await asyncio.to_thread(self.sink.behave)
        self.town.set_clock(self.town.now(), speed=60.0)  # retries of mails come due
        await self._rest()
        history.quiet_at = self.town.now()
        while climb and (latest := await self._last_deadline()):
            self.town.set_clock(max(latest, self.town.now()) + timedelta(minutes=1), speed=60.0)
            await self._rest()
        history.checked_at = self.town.now() - timedelta(hours=1) if climb else None
        logs = [*in_files(self.town.folder, "*.log"), *in_files(self.postgres.folder, "postgres.log")]
        mails = await asyncio.to_thread(self.sink.mails)
        history.refused_mails = set(await asyncio.to_thread(self.sink.refused))
        evidence = await gather(self.kafka.bootstrap, self.town.admin_dsn, mails, logs=logs)
        evidence.published = await ask_for_statistics(self.town.url("stats"), evidence)
        return evidence, await asyncio.to_thread(partial(violations, evidence, history, thorough=climb))

    async def _rest(self, *, timeout_seconds: float = 120) -> None:
        """Return when nothing is under way and no deadline of the sla is due. Raises TimeoutError."""
        until = time.monotonic() + timeout_seconds
        while True:
            await self.town.settle(timeout_seconds=timeout_seconds)
            if not await self._due_deadlines():
                return
            if time.monotonic() > until:
                raise TimeoutError(f"deadlines are still due after {timeout_seconds:.0f} s")
            await asyncio.sleep(0.1)

    async def _last_deadline(self) -> datetime | None:
        """Return the last instant at which a running clock does its next thing; None when no clock has anything left to do."""
        latest: datetime | None = await self._ask("SELECT max(due_at) FROM sla.deadline")
        return latest

    async def _due_deadlines(self) -> int:
        return int(await self._ask("SELECT count(*) FROM sla.deadline WHERE due_at <= $1", self.town.now()))

    async def _ask(self, statement: str, *arguments: datetime) -> Any:
        """Any: what PostgreSQL says."""
        database = await asyncpg.connect(self.town.admin_dsn)
        try:
            return await database.fetchval(statement, *arguments)
        finally:
            await database.close()

    async def open(self) -> None:
        """Migrate, create the topics, start the services."""
        await self.town.prepare()
        self.town.start()

    async def run_command(self, *arguments: str) -> str:
        """Run the command line against this town; return what it printed. Raises AssertionError when it fails."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "aiguilleur",
            *arguments,
            env=os.environ | self.town.command_environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()
