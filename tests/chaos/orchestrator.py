"""What an orchestrator does: starts again what has ended, and ends what says that it is not alive."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx

from tests.chaos.observer import Observer
from tests.chaos.persistence import NO_ANSWER
from tests.chaos.town import ChaosTown

LOOK_SECONDS: Final = 0.05
_READY_SECONDS: Final = 60.0


@dataclass
class Death:
    """An end of a process, and when it was ready again (monotonic seconds). `name`: as the town calls it."""

    name: str
    at: float
    code: int
    ready_at: float | None = None

    @property
    def seconds(self) -> float | None:
        """From the end to being ready again."""
        return None if self.ready_at is None else self.ready_at - self.at


class Orchestrator:
    """Keeps the processes of a town running."""

    def __init__(self, town: ChaosTown, observer: Observer) -> None:
        self._town = town
        self._observer = observer
        self.deaths: list[Death] = []
        self.red: list[str] = []
        """What services said before they were ended for it."""
        self.on_death: Callable[[Death], None] = lambda _: None

    async def serve(self) -> None:
        """Look, for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                for name in self._town.names():
                    self._look(name, group)
                await asyncio.sleep(LOOK_SECONDS)

    def _look(self, name: str, group: asyncio.TaskGroup) -> None:
        process = self._town.processes[name]
        if process.exit_code is not None:
            death = Death(name, time.monotonic(), process.exit_code)
            self.deaths.append(death)
            self.on_death(death)
            self._town.launch(name)
            group.create_task(self._await_ready(death))
            return
        said = self._observer.latest.get(name)
        began = max((one.at for one in self.deaths if one.name == name), default=0.0)
        if said is not None and said.live == 503 and said.at > began:
            self.red.append(f"{name}: {said.text}")
            process.kill()

    async def _await_ready(self, death: Death) -> None:
        process = self._town.processes[death.name]
        until = time.monotonic() + _READY_SECONDS
        async with httpx.AsyncClient(trust_env=False, timeout=1) as http:
            while process.exit_code is None and time.monotonic() < until:
                try:
                    if (await http.get(f"{self._town.own_url(death.name)}/ready")).status_code == 200:
                        death.ready_at = time.monotonic()
                        return
                except NO_ANSWER:
                    pass
                await asyncio.sleep(0.05)

    async def all_ready(self, *services: str) -> None:
        """Return when services, or processes (all, when none is named), run and say that they are ready. Raises TimeoutError."""
        async with asyncio.timeout(_READY_SECONDS), httpx.AsyncClient(trust_env=False, timeout=1) as http:
            for name in self._town.names(*services):
                while not await self._is_ready(http, name):
                    await asyncio.sleep(0.05)

    async def _is_ready(self, http: httpx.AsyncClient, name: str) -> bool:
        if self._town.processes[name].exit_code is not None:
            return False
        try:
            return (await http.get(f"{self._town.own_url(name)}/ready")).status_code == 200
        except NO_ANSWER:
            return False
