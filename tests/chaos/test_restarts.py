"""R3's time of recovery, on servers that are played: what was taken before the end of one is no recovery."""

import time
from types import SimpleNamespace
from typing import Any

from tests.chaos.restarts import broker_kill, postgres_restart
from tests.chaos.trial import SHORT, Trial

_AWAY = 0.2
_MORE = 0.3


class _Server:
    """A server, and the services' positions. They move while it is being ended, and again some time after its return."""

    def __init__(self, *, prefetched_seconds: float = 0.0) -> None:
        self._prefetched = prefetched_seconds
        self._ended = self._back = 0.0

    def stop_at_once(self) -> None:
        """Commit what is under way, and end."""
        time.sleep(_AWAY)
        self._ended = time.monotonic()

    kill = stop_at_once

    def restart(self) -> None:
        """Be there again."""
        time.sleep(_AWAY)
        self._back = time.monotonic()

    async def fetchval(self, _statement: str) -> int:
        """Return the position of any service."""
        now = time.monotonic()
        ended = bool(self._ended and now > self._ended + self._prefetched)
        return 100 + ended + bool(self._back and now > self._back + _MORE)


def _trial(server: _Server) -> Trial:
    scene: Any = SimpleNamespace(postgres=server, kafka=server)
    database: Any = server
    return Trial(scene, database, SHORT)


async def test_a_commit_before_postgresql_ended_is_no_recovery() -> None:
    trial = _trial(_Server())
    await postgres_restart(trial)
    assert _AWAY + _AWAY + _MORE <= trial.figures[0].value < 2 * (_AWAY + _AWAY + _MORE)


async def test_records_that_were_fetched_before_the_broker_died_are_no_recovery() -> None:
    trial = _trial(_Server(prefetched_seconds=0.3))
    await broker_kill(trial)
    assert trial.figures[0].value >= _AWAY + 0.5 + _AWAY + _MORE
