"""R6: what hangs without an error, and how long until somebody says so, by the table of alarms."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple

from shared.events.topics import SERVICES
from tests.chaos.alarms import ALARMS
from tests.chaos.observer import Sample
from tests.chaos.proxy import FAIR, Weather
from tests.chaos.town import PUBLISHERS
from tests.chaos.trial import GIVE_UP_SECONDS, Trial
from tests.proof.report import Figure

_HANG_SECONDS: Final = 40.0
_MOST_SECONDS: Final = 15
_LOOK_SECONDS: Final = 0.25


class Hang(NamedTuple):
    """A way to hang. `says`: whether samples of a service do. `who`: the services that can hang so."""

    what: str
    says: Callable[[list[Sample]], bool]
    strike: Callable[[Trial, str], object]
    heal: Callable[[Trial, str], object]
    who: tuple[str, ...] = SERVICES


def _weather(trial: Trial, service: str, *, server: str, weather: Weather) -> None:
    trial.scene.proxy.change([f"{server}.{service}"], weather)


def _link(what: str, server: str, weather: Weather, who: tuple[str, ...] = SERVICES) -> Hang:
    strike, heal = (partial(_weather, server=server, weather=one) for one in (weather, FAIR))
    return Hang(what, ALARMS[f"cut {server}"].says, strike, heal, who)


def _red(samples: list[Sample]) -> bool:
    return any(one.live == 503 for one in samples)


_HALF_OPEN: Final = Weather(up=False, down=False)
_CONSUMER_ALONE: Final = replace(_HALF_OPEN, whose=b"faststream")
"""What FastStream's client calls itself. The watchdog and the producer have names and connections of their own."""
HANGS: Final = (
    _link("a producer cut off on its way to kafka", "kafka", Weather(up=False), PUBLISHERS),
    Hang(
        "a frozen service",
        ALARMS["zombie"].says,
        lambda trial, service: trial.scene.town.processes[service].pause(),
        lambda trial, service: trial.scene.town.processes[service].resume(),
    ),
    _link("a half-open connection to postgres", "postgres", _HALF_OPEN),
    _link("a half-open connection to kafka", "kafka", _HALF_OPEN),
    _link("a consumer that hangs in a living process", "kafka", _CONSUMER_ALONE)._replace(says=_red),
)


def waves(count: int, services: Sequence[str] = SERVICES) -> Iterator[list[tuple[Hang, str]]]:
    """Yield who is struck by what at the same time: each service by one way at most, in each wave by another."""
    for wave in range(count):
        struck = ((hang, services[(place + wave) % len(services)]) for place, hang in enumerate(HANGS))
        yield [(hang, service) for hang, service in struck if service in hang.who]


async def hangs(trial: Trial) -> None:
    """Have services hang, several at once, since each is judged by what it says itself: how soon somebody is told."""
    took: dict[str, dict[str, list[float]]] = defaultdict(dict)
    for wave in waves(trial.form.waves, trial.services):
        seconds = await asyncio.gather(*(_told(trial, hang, service) for hang, service in wave))
        for (hang, service), one in zip(wave, seconds, strict=True):
            took[hang.what][service] = [one]
    for what, rounds in took.items():
        trial.note(figure(what, rounds))


def figure(what: str, rounds: dict[str, list[float]]) -> Figure:
    """Return the figure of a way to hang: the slowest of the services that were struck."""
    slowest = max(seconds for (seconds,) in rounds.values())
    told = f"seconds until {what} is told, the slowest of {len(rounds)}"
    return Figure("R6", told, slowest, f"<= {_MOST_SECONDS}", slowest <= _MOST_SECONDS, rounds)


async def _told(trial: Trial, hang: Hang, service: str) -> float:
    """Return the seconds until somebody says that a service hangs, and leave it well again: who is red is started again."""
    await _well(trial, service)  # what it still says of something else would be taken for its word
    red, began = len(trial.scene.orchestrator.red), time.monotonic()
    await asyncio.to_thread(hang.strike, trial, service)
    while time.monotonic() - began < _HANG_SECONDS:
        await asyncio.sleep(_LOOK_SECONDS)
        if hang.says(trial.scene.observer.between(began, time.monotonic(), [service])):
            break
    took = time.monotonic() - began
    await asyncio.to_thread(hang.heal, trial, service)
    await _well(trial, service)
    if hang.says is _red:
        _forgive(trial.scene.orchestrator.red, service, since=red)
    return took


def _forgive(red: list[str], service: str, *, since: int) -> None:
    """Take out of what made the orchestrator end a service what it was made to say."""
    red[since:] = [one for one in red[since:] if not one.startswith(f"{service}: ")]


async def _well(trial: Trial, service: str) -> None:
    """Return once a service says that all is well, from now on, or after a time in which it did not."""
    since = time.monotonic()
    while time.monotonic() - since < GIVE_UP_SECONDS:
        said = trial.scene.observer.latest[service]
        if said.at > since and said.is_well:
            return
        await asyncio.sleep(_LOOK_SECONDS)
