"""A town on trial: what is struck, what is asked of it, and the figures that come of it."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from shared.events.topics import SERVICES
from tests.chaos.scene import ChaosScene
from tests.chaos.town import PUBLISHERS
from tests.proof.report import Figure

GIVE_UP_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.02
_AWAY: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True)
class Form:
    """How long the long parts are, and how often each service and each server ends.

    waves: how often each way to hang strikes, each time another service.
    """

    outage_seconds: float
    outage_rate: float
    flood_seconds: float
    kills: int
    restarts: int
    waves: int


SHORT: Final = Form(outage_seconds=5, outage_rate=60, flood_seconds=2.5, kills=1, restarts=1, waves=1)
LONG: Final = Form(outage_seconds=600, outage_rate=200, flood_seconds=60, kills=5, restarts=5, waves=5)


def drawn_order(seed: int | None) -> tuple[str, ...]:
    """Return the services in the order in which they are struck; None: as they are listed.

    The first has something to publish: the one wave of the short form has it hang as a producer.
    """
    order = list(SERVICES)
    if seed is not None:
        random.Random(seed).shuffle(order)
        while order[0] not in PUBLISHERS:
            order.append(order.pop(0))
    return tuple(order)


@dataclass
class Trial:
    """A scene, its database, and what was measured."""

    scene: ChaosScene
    database: asyncpg.Pool
    form: Form
    services: tuple[str, ...] = SERVICES
    """In the order in which they are struck."""
    figures: list[Figure] = field(default_factory=list)

    def told(self, id: str, what: str, value: float, most: float, rounds: dict[str, list[float]] | None = None) -> None:
        """Note a figure, in seconds or a count, that may not be larger."""
        self.note(Figure(id, what, value, f"<= {most:g}", value <= most, rounds or {}))

    def note(self, figure: Figure) -> None:
        """Note a figure."""
        print(f"  {figure.id} {figure.what}: {figure.value:.2f} (goal {figure.goal})", flush=True)
        self.figures.append(figure)

    async def positions(self, service: str) -> int:
        """Return how much a service has taken of the log, in all; waits while PostgreSQL is away."""
        until = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                return int(await self.database.fetchval(f"SELECT coalesce(sum(next_offset), 0) FROM {service}.position"))
            except _AWAY:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(_LOOK_SECONDS)

    async def seen(self, *services: str) -> dict[str, int]:
        """Return what each service has taken up to now."""
        return {service: await self.positions(service) for service in services}

    async def recovers(self, *services: str, seen: dict[str, int], since: float) -> float:
        """Return how long after `since` each of these services had taken more than `seen`, the slowest of them."""
        for service in services:
            while await self.positions(service) <= seen[service] and time.monotonic() - since < GIVE_UP_SECONDS:
                await asyncio.sleep(_LOOK_SECONDS)
        return time.monotonic() - since
