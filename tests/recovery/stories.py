"""Two disasters on a real town, mended by following the pages of docs/operations to the letter."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import httpx

from shared.events.topics import SERVICES, TOPICS
from tests.chaos.crowd import crowd
from tests.recovery.runbook import follow
from tests.recovery.visitors import come_meanwhile
from tests.scene import Scene

ESCROW_FILE: Final = "escrow.key"
"""Where the page says that the private key is kept."""
WITH_ESCROW: Final = "If `AIGUILLEUR_ESCROW_PUBLIC_KEY` was set"
WITHOUT_ESCROW: Final = "If it was not"
STOP: Final = "docker compose stop"
ALL_SERVICES: Final = tuple(f"{command} {' '.join(SERVICES)}" for command in (STOP, "docker compose start"))
"""What a page says for stopping and starting the services: this town has no containers, and does it in its own way."""
TELLING: Final = ("intake", "router", "sla", "notifier")
"""The services that tell something, and so see that the log is ahead of them."""
_WELL_SECONDS: Final = 120.0


@dataclass
class Outcome:
    """What a story led to. `lost` and `twice`: requests, and mails, as the checker and the sink count them."""

    accepted: int = 0
    lost: int = 0
    mailed_twice: int = 0
    seconds: float = 0.0
    """From the first command of the page to the last."""
    broken: list[str] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that the commands said."""
        return "\n".join(output for _, output in self.said)


class Operator:
    """Follows a page on a town: runs `aiguilleur` as it stands there, and stops and starts the services as this town does."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self._scene = scene
        self.escrow_file = folder / "escrow.key"

    async def run(self, command: str, until_well: bool) -> str:
        """Run one line of a page; return what it said. Raises AssertionError: it failed."""
        if command in ALL_SERVICES:
            town = self._scene.town
            await asyncio.to_thread(town.stop if command.startswith(STOP) else town.start)
            return ""
        deadline = time.monotonic() + (_WELL_SECONDS if until_well else 0.0)
        while True:
            code, output = await self.aiguilleur(command)
            print(f"$ {command}\n{output}", flush=True)
            if code == 0:
                return output
            assert time.monotonic() < deadline, f"{command} ended with {code}:\n{output}"
            await asyncio.sleep(1.0)

    async def aiguilleur(self, command: str) -> tuple[int, str]:
        """Run a command line of the product with the town's environment; return its exit code and all that it said."""
        name, *arguments = command.replace(ESCROW_FILE, str(self.escrow_file)).split()
        assert name == "aiguilleur", command
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "aiguilleur",
            *arguments,
            env=os.environ | self._scene.town.command_environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    async def follow(self, page: str, outcome: Outcome, *, without: str = "") -> None:
        """Follow a page from its first command to its last."""
        began = time.monotonic()
        outcome.said += await follow(page, self.run, without=without)
        outcome.seconds = time.monotonic() - began


async def lose_kafka(scene: Scene, folder: Path, *, seconds: float) -> Outcome:
    """Destroy the log in the midst of the load, follow docs/operations/lose-kafka.md, and have everything checked."""
    outcome = Outcome()
    operator = Operator(scene, folder)
    await scene.open()
    async with crowd(scene, rate=10):
        await asyncio.sleep(seconds)
        await asyncio.to_thread(_destroy_log, scene)
        # What is told of these in the new log before its archive is published again comes first there.
        scene.history.disordered = {(topic.name, one) for topic in TOPICS for one in scene.history.accepted}
        await operator.follow("lose-kafka.md", outcome)
        await asyncio.sleep(seconds)
    return await _judge(scene, outcome)


def _destroy_log(scene: Scene) -> None:
    scene.kafka.kill()
    shutil.rmtree(scene.kafka.folder / "data")
    scene.kafka.restart()


async def restore_postgresql(scene: Scene, folder: Path, *, seconds: float, escrow: bool, stopped_first: bool = False) -> Outcome:
    """Put PostgreSQL back to where it was so many seconds earlier, follow docs/operations/restore-postgresql.md, check all.

    `stopped_first`: the services are stopped before; else they find it out, and it is seen that they say so and stand still.
    """
    outcome = Outcome()
    operator = Operator(scene, folder)
    if escrow:
        code, output = await operator.aiguilleur(f"aiguilleur keys escrow-new {ESCROW_FILE}")
        assert code == 0, output
        name, _, value = output.strip().partition("=")
        scene.town.extra[name] = value
    await scene.open()
    async with crowd(scene, rate=10):
        await asyncio.sleep(seconds / 3)
    await scene.town.settle()
    copy = folder / "backup"
    data = await asyncio.to_thread(_back_up, scene, copy, await _data_directory(scene))
    known = set(scene.history.accepted)
    await _live_on(scene, seconds=seconds)
    if stopped_first:
        await operator.run(ALL_SERVICES[0], until_well=False)
    await asyncio.to_thread(_restore, scene, copy, data)
    if not stopped_first:
        await _is_said(scene, operator)
        await come_meanwhile(scene)
    await operator.follow("restore-postgresql.md", outcome, without=WITHOUT_ESCROW if escrow else WITH_ESCROW)
    if not escrow:
        scene.history.unreadable = None  # the contents of the forgotten minutes
    await _nothing_is_left_to_reconcile(scene, operator)
    await _keys_are_as_promised(scene, scene.history.accepted - known)
    async with crowd(scene, rate=10):
        await asyncio.sleep(seconds / 3)
    return await _judge(scene, outcome)


async def _live_on(scene: Scene, *, seconds: float) -> None:
    """Have people use the town in the minutes that will be forgotten, and deadlines run out: nothing is under way at the end."""
    async with crowd(scene, rate=10):
        await asyncio.sleep(seconds)
    scene.town.set_clock(scene.town.now() + timedelta(days=20), speed=1.0)
    async with crowd(scene, rate=10):
        await asyncio.sleep(seconds / 3)
    await scene.town.settle()
    assert await _ask(scene, "SELECT count(*) FROM sla.outbox WHERE type LIKE '%escalation.raised%'"), "nothing was escalated"
    assert await _ask(scene, "SELECT count(*) FROM intake.outbox WHERE type LIKE '%request.erased%'"), "nobody was erased"


def _back_up(scene: Scene, copy: Path, data: Path) -> Path:
    """Copy the stopped server's data: the services run on, and find it away for a moment."""
    scene.postgres.stop()
    subprocess.run(["cp", "-a", data, copy], check=True)
    scene.postgres.restart()
    return data


def _restore(scene: Scene, copy: Path, data: Path) -> None:
    """Put the copy in the place of what was written since."""
    scene.postgres.kill()
    shutil.rmtree(data)
    subprocess.run(["cp", "-a", copy, data], check=True)
    scene.postgres.restart()


async def _is_said(scene: Scene, operator: Operator) -> None:
    """See that every service that told something says it, and publishes and takes nothing while it does."""
    await asyncio.sleep(5)
    code, output = await operator.aiguilleur("aiguilleur status")
    assert code == 1 and "aiguilleur reconcile" in output, output
    async with httpx.AsyncClient() as client:
        for service in TELLING:
            assert f"{service}: the log holds events that the database does not know" in output, output
            metrics = (await client.get(f"{scene.town.url(service)}/metrics")).text
            assert f'aiguilleur_log_ahead{{service="{service}"}} 1.0' in metrics, f"the metric of {service} does not say it"
    before = [await _progress(scene, service) for service in TELLING]
    await asyncio.sleep(2)
    assert before == [await _progress(scene, service) for service in TELLING], "somebody goes on all the same"


async def _progress(scene: Scene, service: str) -> tuple[str, str]:
    """Return how far a service has taken the log, and how much it has published."""
    taken = await _ask(scene, f"SELECT sum(next_offset) FROM {service}.position")  # a service's own schema
    return taken, await _ask(scene, f"SELECT count(*) FROM {service}.outbox WHERE published_at IS NOT NULL")


async def _nothing_is_left_to_reconcile(scene: Scene, operator: Operator) -> None:
    """See that a second time changes nothing."""
    await asyncio.to_thread(scene.town.stop)
    code, output = await operator.aiguilleur("aiguilleur reconcile")
    assert code == 0 and "the database knows all that the log holds" in output, output
    await asyncio.to_thread(scene.town.start)


async def _keys_are_as_promised(scene: Scene, forgotten: set[UUID]) -> None:
    """See that each request of the forgotten minutes has a key, but those that were erased, and that no erased one has."""
    rows = await _rows(scene, "SELECT request_id FROM vault.request_key")
    erased = await _rows(scene, "SELECT request_id FROM intake.outbox WHERE type = 'fr.aiguilleur.request.erased.v1'")
    assert not rows & erased, "an erased key came back"
    assert forgotten, "nobody wrote in the forgotten minutes"
    assert forgotten - erased <= rows, "a request has no key"


async def _judge(scene: Scene, outcome: Outcome) -> Outcome:
    evidence, outcome.broken = await scene.heal_and_look()
    outcome.accepted = len(scene.history.accepted)
    outcome.lost = sum(line.startswith("1 lost") for line in outcome.broken)
    outcome.mailed_twice = sum(count - 1 for count in evidence.message_ids.values())
    return outcome


async def _data_directory(scene: Scene) -> Path:
    return Path(await _ask(scene, "SHOW data_directory"))


async def _ask(scene: Scene, statement: str) -> str:
    database = await asyncpg.connect(scene.town.admin_dsn)
    try:
        return await database.fetchval(statement)  # type: ignore[no-any-return]  # a number or a text
    finally:
        await database.close()


async def _rows(scene: Scene, statement: str) -> set[UUID]:
    database = await asyncpg.connect(scene.town.admin_dsn)
    try:
        return {row[0] for row in await database.fetch(statement)}
    finally:
        await database.close()
