"""A fault of a plan, what faults are made on, and what is noted of them."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from tests.chaos.load import Load
from tests.chaos.scene import ChaosScene


@dataclass(frozen=True)
class Fault:
    """One fault of a plan. `at`: seconds from the start of the load. `seconds`: how long it lasts. `amount`: as its kind says."""

    at: float
    kind: str
    target: str = ""
    seconds: float = 0.0
    amount: float = 0.0
    point: str = ""

    def __str__(self) -> str:
        told = (
            self.target,
            self.point,
            f"{self.seconds:.1f} s" if self.seconds else "",
            f"{self.amount:g}" if self.amount else "",
        )
        return f"{self.at:6.1f}  {self.kind:16} {' '.join(one for one in told if one)}"


class Span(NamedTuple):
    """When a fault was at work (monotonic seconds)."""

    fault: Fault
    began: float
    ended: float


@dataclass
class Stage:
    """What faults are made on, and what is noted of them."""

    scene: ChaosScene
    load: Load
    made: list[Fault] = field(default_factory=list)
    """What was planned and is over."""
    spans: list[Span] = field(default_factory=list)
    """When what lasts was at work, also where it only leads to a point."""
    reached: set[str] = field(default_factory=set)
    """Points at which a service died."""
    unfelt: set[Fault] = field(default_factory=set)
    """Faults that met nobody, so that nobody could tell of them: nothing was sent through a link while it was cut."""
    turn: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """By server, link or service: what would undo each other comes one after the other."""

    @asynccontextmanager
    async def during(self, fault: Fault, whose: str) -> AsyncIterator[None]:
        """Wait for the turn of whom it strikes; the time of the block is the time of the fault."""
        async with self.turn[whose]:
            began = time.monotonic()
            yield
            self.spans.append(Span(fault, began, time.monotonic()))


Make: TypeAlias = Callable[[Stage, Fault], Awaitable[None]]
"""Makes a fault, and returns when it is over."""
