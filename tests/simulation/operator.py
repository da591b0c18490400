"""The operator: hears of gaps and parked records, publishes again what is missing, replays what was mended, skips garbage."""

from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from shared.delivery.errors import Unavailable
from shared.delivery.parking import Choice
from tests.simulation.group import Group
from tests.simulation.scheduler import HOUR, MINUTE, pause

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World


class Operator:
    """Who looks after the town, within minutes or hours."""

    def __init__(self, world: "World", random: Random) -> None:
        self._world = world
        self._random = random
        self._called = False

    def call(self) -> None:
        """An alarm: something was parked."""
        if not self._called:
            self._called = True
            self._world.scheduler.spawn(self._answer())

    async def _answer(self) -> None:
        await pause(int(self._random.random() * self._random.choice((MINUTE, HOUR))))
        self._called = False
        await self.settle(patient=True)

    async def settle(self, *, patient: bool) -> None:
        """Do once for each service what its parked records ask for."""
        for group in self._world.groups.values():
            if group.tables.parked.open:
                await self._settle(group, mended=not patient or self._random.random() < 0.5)

    async def _settle(self, group: Group, *, mended: bool) -> None:
        world = self._world
        process = world.any_of(group.name, self._random)
        if process is None:
            return
        if group.poison and mended:
            group.poison.clear()
            world.note(f"{group.name} gets a version that does not stumble", None)
        for request_id, why in sorted({(row["request_id"], row["why"]) for row in group.tables.parked.open}, key=str):
            try:
                await self._try(process, request_id, why)
            except Unavailable:
                continue

    async def _try(self, process: "Process", request_id: UUID | None, why: str) -> None:
        world, parking = self._world, process.parking
        if request_id is None or why == "refused":
            for one in await parking.list_open(Choice(request_id=request_id, why=why)):
                if (request_id is None and one.request_id is None) or (one.sequence is None and one.why == "refused"):
                    await parking.skip(Choice(ids=(one.id,)), lambda _done, _all: None)
                    world.count("operator: skipped")
        elif why in ("gap", "undecodable"):
            world.republish(request_id)
        else:
            settled = await parking.replay(Choice(request_id=request_id), lambda _done, _all: None)
            world.count("operator: replayed" if settled.settled else "operator: replayed in vain")
            world.note(
                f"the operator replays what {process.group.name} parked: {settled.settled} of {settled.chosen}", request_id
            )
