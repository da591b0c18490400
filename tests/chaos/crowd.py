"""All who use a town while things break: the load, the usagers who come back, the agents, and the mail that they read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.chaos.agents import Agents
from tests.chaos.load import Load
from tests.chaos.mailbox import Mailboxes
from tests.chaos.persistence import Client
from tests.chaos.town import VISITED
from tests.chaos.usagers import Usagers
from tests.scene import Scene


@asynccontextmanager
async def crowd(scene: Scene, *, rate: float = 20, agents_at_once: int = 4, seed: int | None = None) -> AsyncIterator[Load]:
    """Have people use the scene's town for the time of the block; after it all have their answers.

    Whatever a client was told wrong (a server error, say) is raised at the end.
    seed: has some give up without an answer, and draws who of those that post; None: nobody does.
    """
    history = scene.history
    if history.acts is None:
        history.acts, history.erasures = [], {}
    scene.town.set_clock(scene.town.now(), speed=1.0)
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http, asyncio.TaskGroup() as group:
        sites = [[scene.town.url(name) for name in scene.town.names(one)] for one in VISITED]
        client = Client(http, sites=sites, some_give_up=seed is not None)
        usagers, agents = Usagers(client, history=history, group=group), Agents(client, history=history, at_once=agents_at_once)
        readers = {"assignment": agents.take, "question": usagers.reply}
        readers |= dict.fromkeys(("answer", "resolution"), usagers.contest)
        mailboxes = Mailboxes(client, url=scene.sink.url, readers=readers)
        load = Load(scene.town.url("intake"), rate=rate, history=history, on_accepted=usagers.expect, seed=seed)
        group.create_task(load.run())
        group.create_task(mailboxes.serve())
        try:
            await asyncio.sleep(1.0)
            yield load
        finally:
            load.stop()
            mailboxes.stop()
            agents.stop()
