"""A town of a test's own, on servers that may be killed."""

import asyncio
import os
import sys
from pathlib import Path

from deploy.local.kafka import KafkaServer
from deploy.local.mailsink import MailSink
from deploy.local.postgres import PostgresServer
from deploy.local.town import Town
from tests.proof.checker import History, duplicated_mails, gather, violations


class Scene:
    """Kafka, PostgreSQL, mail sink and the five services, all local processes."""

    def __init__(self, folder: Path) -> None:
        self.kafka = KafkaServer(folder / "kafka")
        self.postgres = PostgresServer(folder / "postgres")
        self.sink = MailSink(folder / "mail")
        for server in (self.kafka, self.postgres, self.sink):
            server.start()
        self.town = Town(
            folder / "town",
            kafka=self.kafka.bootstrap,
            admin_dsn=self.postgres.dsn,
            smtp=self.sink.smtp,
            shared_clock=True,
        )
        self.history = History()

    def close(self) -> None:
        """End everything."""
        self.town.stop()
        for server in (self.sink, self.postgres, self.kafka):
            server.stop()

    async def heal_and_check(self, *, kills: int) -> None:
        """Move the clock on so that every retry comes due, wait until all is quiet, and ask the checker."""
        self.sink.behave()
        self.town.set_clock(self.town.now(), speed=60.0)
        await self.town.settle(timeout_seconds=90)
        evidence = await gather(self.kafka.bootstrap, self.town.admin_dsn, self.sink.mails())
        broken = violations(evidence, self.history)
        assert not broken, "\n".join(broken)
        assert self.history.accepted, "the load must have been accepted"
        assert duplicated_mails(evidence) <= 100 * kills  # what was in flight at each kill, at the most

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
