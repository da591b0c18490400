"""The one clock of the platform: every service reads the time here and nowhere else.

In production it is the system's clock. A test or the demo gives a clock file, which every service process re-reads when
it changes, so that time can be moved or accelerated for all of them together.
"""

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)


@dataclass
class SetClock:
    """A clock that stands still until it is moved: for unit tests."""

    at: datetime

    def now(self) -> datetime:
        """Return the instant that was set."""
        return self.at

    def move(self, by: timedelta) -> None:
        """Advance by a duration."""
        self.at += by


class FileClock:
    """A clock shared by several processes through a small JSON file: {"real": seconds, "shown": seconds, "speed": x}.

    The instant shown is `shown + (real now - real) * speed`, seconds since the epoch. `write` changes it for everybody.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = 0
        self._checked = 0.0
        self._anchor = (time.time(), time.time(), 1.0)

    def now(self) -> datetime:
        """Return the shown instant; the file is looked at again at most every 20 ms."""
        real = time.time()
        if abs(real - self._checked) > 0.02:
            self._checked = real
            self._read()
        since, shown, speed = self._anchor
        return datetime.fromtimestamp(shown + (real - since) * speed, UTC)

    def _read(self) -> None:
        try:
            stamp = self._path.stat().st_mtime_ns
            if stamp != self._stamp:
                told = json.loads(self._path.read_text())
                self._anchor = (float(told["real"]), float(told["shown"]), float(told["speed"]))
                self._stamp = stamp
        except FileNotFoundError:
            pass

    @staticmethod
    def write(path: Path, *, shown: datetime, speed: float) -> None:
        """Set the shown instant from now on, and how many shown seconds pass in a real one."""
        partial = path.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps({"real": time.time(), "shown": shown.timestamp(), "speed": speed}))
        partial.replace(path)


def clock_from(path: Path | None) -> Clock:
    """Return the system's clock, or the shared one when a clock file is named."""
    return FileClock(path) if path else SystemClock()
