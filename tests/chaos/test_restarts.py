"""R3's time of recovery, on servers that are played: what was taken before the end of one is no recovery."""

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from shared.events.topics import SERVICES
from tests.chaos import restarts
from tests.chaos.overload import Flood
from tests.chaos.restarts import broker_kills, outage_figures, postgres_restarts
from tests.chaos.town import PUBLISHERS
from tests.chaos.trial import LONG, SHORT, Form, Trial, drawn_order

_AWAY = 0.2
_MORE = 0.3


class _Server:
    """A server, and the services' positions. They move while it is being ended, and again some time after its return."""

    def __init__(self, *, prefetched_seconds: float = 0.0) -> None:
        self._prefetched = prefetched_seconds
        self._ended = self._back = 0.0
        self.more = _MORE

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
        return 100 + ended + bool(self._back and now > self._back + self.more)


async def _at_once() -> None:
    """Be ready."""


def _trial(server: _Server, form: Form = SHORT) -> Trial:
    orchestrator = SimpleNamespace(all_ready=_at_once)
    scene: Any = SimpleNamespace(postgres=server, kafka=server, orchestrator=orchestrator)
    database: Any = server
    return Trial(scene, database, form)


async def test_a_commit_before_postgresql_ended_is_no_recovery() -> None:
    trial = _trial(_Server())
    await postgres_restarts(trial)
    assert _AWAY + _AWAY + _MORE <= trial.figures[0].value < 2 * (_AWAY + _AWAY + _MORE)


async def test_records_that_were_fetched_before_the_broker_died_are_no_recovery() -> None:
    trial = _trial(_Server(prefetched_seconds=0.3))
    await broker_kills(trial)
    assert trial.figures[0].value >= _AWAY + 0.5 + _AWAY + _MORE


async def test_of_several_restarts_the_slowest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restarts, "_CALM_SECONDS", 0.0)
    server = _Server()
    trial = _trial(server, replace(LONG, restarts=3))
    later = iter((0.1, 0.6, 0.1))

    def stop() -> None:
        server.more = next(later)
        _Server.stop_at_once(server)

    monkeypatch.setattr(server, "stop_at_once", stop)
    await postgres_restarts(trial)
    (figure,) = trial.figures
    took = figure.rounds["seconds"]
    assert len(took) == 3
    assert figure.value == took[1] > _AWAY + _AWAY + 0.6 > max(took[0], took[2])


def test_a_seed_draws_who_is_struck_first_and_that_one_has_something_to_publish() -> None:
    assert drawn_order(None) == SERVICES
    orders = [drawn_order(seed) for seed in range(20)]
    assert orders == [drawn_order(seed) for seed in range(20)] and len(set(orders)) > 10
    assert all(sorted(one) == sorted(SERVICES) and one[0] in PUBLISHERS for one in orders)


def _outage(*, posted: int, accepted: int, turned_away: int = 0, drained: float = 60.0) -> list[bool]:
    took = Flood({uuid4() for _ in range(accepted)}, posted, turned_away=turned_away, seconds=10.0)
    return [figure.met for figure in outage_figures(took, rate=60.0, drained=drained, mailed=1_000.0)]


def test_an_outage_in_which_everything_was_accepted_and_soon_taken_meets_the_goals_however_long_its_mails_take() -> None:
    assert _outage(posted=600, accepted=600) == [True] * 3
    assert _outage(posted=570, accepted=570) == [True] * 3, "the client may be a little slower than it was told"
    assert _outage(posted=600, accepted=600, drained=60.1) == [True, True, False]


def test_an_outage_in_which_posts_were_turned_away_or_none_came_is_none_that_was_endured() -> None:
    assert _outage(posted=600, accepted=599, turned_away=1) == [True, False, True]
    assert _outage(posted=600, accepted=0, turned_away=600, drained=0.0) == [True, False, True]
    assert _outage(posted=0, accepted=0, drained=0.0) == [False, True, True]
