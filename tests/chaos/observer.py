"""Looks at what an operator looks at, every second: /live, /ready and /metrics of every process, whoever has yet to answer."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import httpx

from tests.chaos.persistence import NO_ANSWER
from tests.chaos.town import ChaosTown

EVERY_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 2.0
_PUBLISHED: Final = "aiguilleur_published_total"
_WATCHED: Final = (
    "aiguilleur_unavailable_total",
    "aiguilleur_publish_errors_total",
    "aiguilleur_relay_failing",
    "aiguilleur_halted",
    "aiguilleur_parked_total",
    "aiguilleur_gaps_total",
    "aiguilleur_mails_total",
    "aiguilleur_turned_away_total",
    _PUBLISHED,
)


@dataclass(frozen=True)
class Sample:
    """What one process said, and when it had said it (monotonic seconds). None: it did not answer."""

    at: float
    name: str
    live: int | None = None
    ready: int | None = None
    text: str = ""
    """What /live or /ready said besides "ok"."""
    counted: dict[str, float] = field(default_factory=dict)
    """Metrics, by name and labels."""

    @property
    def is_well(self) -> bool:
        """Whether nobody would be called."""
        gauges = sum(value for name, value in self.counted.items() if "_failing" in name or "_halted" in name)
        return self.live == 200 and self.ready == 200 and not self.text and not gauges


class Observer:
    """Keeps every sample of a run."""

    def __init__(self, town: ChaosTown) -> None:
        self._town = town
        self.samples: list[Sample] = []
        self.latest: dict[str, Sample] = {}

    async def serve(self) -> None:
        """Look, for ever."""
        async with httpx.AsyncClient(trust_env=False, timeout=_ANSWER_SECONDS) as http, asyncio.TaskGroup() as group:
            while True:
                for name in self._town.names():
                    group.create_task(self._note(http, name))
                await asyncio.sleep(EVERY_SECONDS)

    async def _note(self, http: httpx.AsyncClient, name: str) -> None:
        sample = self.latest[name] = await self._look(http, name)
        self.samples.append(sample)

    async def _look(self, http: httpx.AsyncClient, name: str) -> Sample:
        """Ask for all three at once: one after the other they wait 6 s for who stands still, and miss a silent /live."""
        pages = (_get(http, f"{self._town.own_url(name)}/{page}") for page in ("live", "ready", "metrics"))
        live, ready, metrics = await asyncio.gather(*pages)
        told = "; ".join(line for page in (live, ready) if page is not None for line in page.text.splitlines() if line != "ok")
        counted = {}
        for line in metrics.text.splitlines() if metrics is not None else ():
            if line.startswith(_WATCHED):
                metric, _, value = line.rpartition(" ")
                counted[metric] = float(value)
        is_live, is_ready = (page.status_code if page is not None else None for page in (live, ready))
        return Sample(time.monotonic(), name, is_live, is_ready, told, counted)

    def between(self, began: float, ended: float, names: Iterable[str]) -> list[Sample]:
        """Return the samples of processes between two instants, each process in order.

        Before them comes what each had counted when it began; what was said then is not looked at.
        """
        wanted, before, found = set(names), {}, []
        for one in self.samples:
            if one.name not in wanted or one.at > ended:
                continue
            if one.at < began:
                if one.counted:
                    before[one.name] = replace(one, live=200, ready=200, text="")
            else:
                found.append(one)
        return [*before.values(), *found]


async def _get(http: httpx.AsyncClient, url: str) -> httpx.Response | None:
    try:
        return await http.get(url)
    except NO_ANSWER:
        return None


def is_trouble(metric: str) -> bool:
    """Whether it is a counter that never rises while all is well. A mail counts unless it was sent, or had nobody to go to.

    Which mails these were, and whether rightly, no counter says: `tests.judge.letters` judges each by its `why`, from the log.
    """
    return "_total" in metric and not any(one in metric for one in (_PUBLISHED, 'outcome="sent"', 'cause="letter"'))


def publishers(samples: Sequence[Sample], names: Iterable[str]) -> set[str]:
    """Return which of these processes were seen to publish."""
    return {name for name in names if risen([one for one in samples if one.name == name], _PUBLISHED)}


def risen(samples: Sequence[Sample], *parts: str) -> float:
    """Return by how much the counters whose name holds all these parts rose."""
    return sum(rise for metric, rise in rises(samples).items() if all(part in metric for part in parts))


def rises(samples: Sequence[Sample]) -> dict[str, float]:
    """Return by how much each metric rose; one that fell began anew.

    One that was not there among the others of its process before was 0: its labels appear with its first count.
    """
    last: dict[tuple[str, str], float] = {}
    known: set[str] = set()
    rise: dict[str, float] = defaultdict(float)
    for one in samples:
        for metric, value in one.counted.items():
            before = last.get((one.name, metric), 0.0 if one.name in known else None)
            if before is not None:
                rise[metric] += value - before if value >= before else value
            last[one.name, metric] = value
        if one.counted:
            known.add(one.name)
    return rise
