"""Faults of links: what stands between a service and a server, or between people and a service, misbehaves."""

import asyncio
from collections.abc import Callable
from typing import Final

from deploy.local.town import service_of
from tests.chaos.proxy import FAIR, Weather
from tests.chaos.stage import Fault, Make, Stage

CUT: Final = Weather(up=False, down=False)
SHUT: Final = Weather(refuse=True)


def weather(of: Callable[[Fault], Weather], *, forget: bool = False) -> Make:
    """Return what makes a link behave so for a time; with `forget` its connections are reset at the end.

    It met nobody where no byte was held or delayed, and no connection reset. Who is refused is not seen.
    """

    async def make(stage: Stage, fault: Fault) -> None:
        proxy, names, bad = stage.scene.proxy, stage.scene.town.links(fault.target), of(fault)
        async with stage.during(fault, service_of(fault.target)):
            before = proxy.struck(names)
            await asyncio.to_thread(proxy.change, names, bad)
            await asyncio.sleep(fault.seconds)
            if forget:
                await asyncio.to_thread(proxy.reset, names)
            await asyncio.to_thread(proxy.change, names, FAIR)
            if proxy.struck(names) == before and not bad.refuse:
                stage.unfelt.add(fault)

    return make


async def reset(stage: Stage, fault: Fault) -> None:
    """Reset every connection of a link; where there is none it meets nobody."""
    proxy, names = stage.scene.proxy, stage.scene.town.links(fault.target)
    async with stage.during(fault, f"reset {fault.target}"):  # also in the midst of other weather
        before = proxy.struck(names)
        await asyncio.to_thread(proxy.reset, names)
        if proxy.struck(names) == before:
            stage.unfelt.add(fault)


async def lose(stage: Stage, fault: Fault, server: str, seconds: float) -> None:
    """Have a service lose a server for so long."""
    await weather(lambda _: SHUT)(stage, Fault(fault.at, "refuse", f"{server}.{fault.target}", seconds))
