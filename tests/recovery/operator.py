"""Whoever follows a page of docs/operations on a town, line by line."""

import asyncio
import os
import re
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

from shared.events.topics import SERVICES
from tests.recovery.runbook import follow
from tests.scene import Scene

ESCROW_FILE: Final = "escrow.key"
"""Where the page says that the private key is kept."""
TOOLS: Final = 'aiguilleur() { docker compose run --rm --user "$(id -u):$(id -g)" tools "$@"; }'
"""What a page says for running the command line: here it is called as its container calls it, without the container."""
STOP: Final = f"docker compose stop {' '.join(SERVICES)}"
START: Final = f"docker compose start {' '.join(SERVICES)}"
"""What a page says for stopping and starting the services: this town has no containers, and does it in its own way."""
_WELL_SECONDS: Final = 120.0
_EVENTS: Final = re.compile(r"\b(\d+) events of (?:\d+ requests adopted from the log|\w+ will be published again)")


class Followed(NamedTuple):
    """All that the commands of a page said, and how long they took."""

    text: str
    seconds: float

    @property
    def events(self) -> int:
        """How many events were published again, or taken from the log, as the commands said."""
        return sum(map(int, _EVENTS.findall(self.text)))


class Operator:
    """Runs `aiguilleur` as it stands on a page, and stops and starts the services as this town does."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self._scene = scene
        self._escrow_file = folder / ESCROW_FILE

    async def run(self, command: str, until_well: bool = False) -> str:
        """Run one line of a page; return what it said. Raises AssertionError: it failed."""
        if command == TOOLS:
            return ""
        if command in (STOP, START):
            town = self._scene.town
            await asyncio.to_thread(town.stop if command == STOP else town.start)
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
        name, *arguments = command.replace(ESCROW_FILE, str(self._escrow_file)).split()
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

    async def follow(self, page: str, *, without: str = "") -> Followed:
        """Follow a page from its first command to its last, but what is under the heading `without`."""
        began = time.monotonic()
        said = await follow(page, self.run, without=without)
        return Followed("\n".join(output for _, output in said), time.monotonic() - began)
