"""What may happen to a service, drawn from a seed, and done to several desks alike."""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

from shared.delivery.parking import Choice
from shared.delivery.values import Input, RawRecord, Ticket
from tests.delivery.sample import Faults, Say, added, warned
from tests.simulation.desk import Desk

PLACE = ("requests.v1", 0)


class Deeds:
    """Draws what happens next: a batch of records with holes, repetitions and bad ones, a click, a replay, a skip."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._records: dict[Any, list[RawRecord]] = {PLACE: [], ("escalations.v1", 0): []}
        self._sequences: dict[tuple[str, UUID], int] = {}
        self._clicks = 0
        self._requests = [UUID(int=number) for number in range(1, 7)]

    def draw(self) -> Callable[[Desk], Any]:
        """Return what is to be done next, which gives what can be compared."""
        kind = self._random.choices(("records", "again", "click", "replay", "skip"), (50, 10, 20, 12, 8))[0]
        match kind:
            case "records":
                return self._take(self._grow())
            case "again":
                return self._take({place: records[-8:] for place, records in self._records.items() if records})
            case "click":
                return self._click()
            case "replay":
                mended = self._random.random() < 0.5
                return self._settle(skip=False, mended=mended)
            case _:
                return self._settle(skip=True, mended=False)

    def _grow(self) -> dict[Any, list[RawRecord]]:
        batch: dict[Any, list[RawRecord]] = {}
        for _ in range(self._random.randint(1, 8)):
            place = self._random.choice(list(self._records))
            request_id = self._random.choice(self._requests)
            last = self._sequences.get((place[0], request_id), 0)
            sequence = max(1, last + self._random.choice((1, 1, 1, 1, 1, 2, 0, -1)))
            self._sequences[place[0], request_id] = max(last, sequence)
            offset = len(self._records[place])
            text = self._random.choice(("a", "b", "c", "poison", "refused", "unencodable"))
            make = (
                added(sequence, text, request_id, offset=offset)
                if place == PLACE
                else warned(sequence, request_id, offset=offset)
            )
            if self._random.random() < 0.1:
                make = make._replace(value=self._random.choice((b"", b"{", b"\0", None)))
            self._records[place].append(make)
            batch.setdefault(place, []).append(make)
        return batch

    @staticmethod
    def _take(batch: dict[Any, list[RawRecord]]) -> Callable[[Desk], Any]:
        async def take(desk: Desk) -> Any:
            return await desk.shell.take(batch) if batch else None

        return take

    def _click(self) -> Callable[[Desk], Any]:
        clicks = []
        for _ in range(self._random.randint(1, 4)):
            self._clicks += 1
            number = self._clicks if self._random.random() < 0.7 else self._random.randint(1, self._clicks)
            ticket = Ticket("page", str(number), self._random.choice((b"one", b"other")))
            say = Say(self._random.choice(("hello", "refused", "again")))
            clicks.append(Input(self._random.choice(self._requests), "rivemont", say, ticket=ticket))

        async def click(desk: Desk) -> Any:
            results = await desk.shell.run(clicks, lane="local")
            return [(one.kind, one.request_id, one.events, repr(one.error)) for one in results]

        return click

    def _settle(self, *, skip: bool, mended: bool) -> Callable[[Desk], Any]:
        choice = Choice(request_id=self._random.choice(self._requests))

        async def settle(desk: Desk) -> Any:
            Faults.poison = frozenset() if mended else frozenset({"poison"})
            do = desk.parking.skip if skip else desk.parking.replay
            settled = await do(choice, lambda _done, _all: None)
            Faults.poison = frozenset({"poison"})
            return settled.chosen, settled.settled, [(one.id, one.why, one.detail) for one in settled.left]

        return settle
