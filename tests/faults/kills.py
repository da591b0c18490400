"""Processes that die at named points of the shell, one after the other."""

import asyncio
import random
import signal
import time
from typing import Final

from deploy.local.town import Town
from shared.delivery.points import POINTS

REACHED_BY: Final[dict[str, tuple[str, ...]]] = {
    "consume": ("intake", "router", "sla", "notifier", "stats"),
    "local": ("intake", "router", "sla", "notifier"),
    "relay": ("intake", "router", "sla", "notifier"),
    "letter": ("notifier",),
}
"""Which services come by the points of a kind: posts, clicks, ticks and mail outcomes are local inputs; stats has none."""
_WAIT_SECONDS = 60
"""Longer than a weekend of the town, at three hours a second: no deadline of the sla comes due meanwhile."""


def points_of(service: str) -> tuple[str, ...]:
    """Return the points that a service comes by."""
    return tuple(point for point in POINTS if service in REACHED_BY[point.split(".")[0]])


async def die_at_every_point(town: Town, service: str, *, chance: random.Random) -> list[str]:
    """Have a service die at each of its points, started again each time; return the points that it did not reach."""
    town.kill(service)
    not_reached = []
    for point in chance.sample(points_of(service), k=len(points_of(service))):
        town.extra = {"AIGUILLEUR_KILL_AT": f"{point}:{chance.randint(1, 3)}"}
        town.launch(service)
        town.extra = {}
        process, until = town.processes[service], time.monotonic() + _WAIT_SECONDS
        while process.exit_code is None and time.monotonic() < until:
            await asyncio.sleep(0.05)
        if process.exit_code is None:
            not_reached.append(f"{service} {point}")
            town.kill(service)
        else:
            assert process.exit_code == -signal.SIGKILL, f"{service} ended by itself, {process.exit_code}: {process.log_tail()}"
    await asyncio.to_thread(town.start, service)
    return not_reached
