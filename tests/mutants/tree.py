"""A throw-away copy of the code, in which mutants are tried."""

import asyncio
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import folders
from tests.mutants.mutant import Catcher, Mutant

TESTS_FAILED = 1
"""pytest's exit code. Every other one but 0 says that the tests could not be run: that catches nothing."""
KILLED = -9
LONGEST_SECONDS = 1200


@dataclass(frozen=True)
class Trial:
    """What a catcher did."""

    exit_code: int
    seconds: float
    output: str

    def tail(self) -> str:
        """Return the end of the output, for whoever has to find out."""
        return "\n".join(self.output.splitlines()[-25:])


class Tree:
    """A copy of the files that git knows or would know. Nothing in the checkout itself is touched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._moment = itertools.count(int(time.time()))
        self._runner: asyncio.subprocess.Process | None = None
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=folders.ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            source, target = folders.ROOT / name, folder / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)  # there are tests that ask git which files there are
        (folder / ".local").mkdir(exist_ok=True)
        folders.CACHE.mkdir(parents=True, exist_ok=True)
        (folder / ".local" / "cache").symlink_to(folders.CACHE)

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[None]:
        """Have the bug in the tree for as long as the block lasts. Raises DoesNotApply."""
        changed = mutant.sources(self.folder)
        before = {path: path.read_text() for path in changed}
        try:
            for path, text in changed.items():
                self._write(path, text)
            yield
        finally:
            for path, text in before.items():
                self._write(path, text)

    def _write(self, path: Path, text: str) -> None:
        """Write a file with a time of its own: compiled code is known by the second and the size of its source."""
        path.write_text(text)
        moment = next(self._moment)
        os.utime(path, (moment, moment))

    async def run(self, catcher: Catcher) -> Trial:
        """Run a catcher's tests here until the first fails. Nobody learns from it what a later run draws or skips."""
        began = time.monotonic()
        output = self.folder / ".local" / "output"
        line = json.dumps([str(output), "-x", "-q", "-rfE", "-o", f"cache_dir={self.folder}/.local/pytest", *catcher.tests])
        runner = self._runner = await self._ready()
        assert runner.stdin is not None and runner.stdout is not None
        runner.stdin.write(line.encode() + b"\n")
        code = b""
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                code = await runner.stdout.readline()
        except TimeoutError:
            os.killpg(runner.pid, signal.SIGKILL)
            await runner.wait()
        return Trial(int(code or KILLED), time.monotonic() - began, output.read_text(errors="replace"))

    async def _ready(self) -> asyncio.subprocess.Process:
        if self._runner is not None and self._runner.returncode is None:
            return self._runner
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            self.folder / "tests" / "mutants" / "warm.py",
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder), "HYPOTHESIS_STORAGE_DIRECTORY": str(self.folder / ".hypothesis")},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )

    async def close(self) -> None:
        """End what runs the tests."""
        if self._runner is not None and self._runner.stdin is not None:
            self._runner.stdin.close()
            await self._runner.wait()
