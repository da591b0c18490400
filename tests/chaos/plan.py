"""The plan of a seed: every fault of a run, drawn beforehand."""

import random
from dataclasses import replace
from typing import Final

from shared.delivery.points import POINTS
from tests.chaos.faults import KINDS
from tests.chaos.reached import first_of, services_of
from tests.chaos.stage import Fault

PARTS: Final = 3
"""Over so many seeds in a row every kind of fault and every point comes at least once."""
_CALM_SECONDS: Final = 2.0
_ROOM_SECONDS: Final = 7.0
"""What has to be left after a long fault for its service to tell of it."""
_SILENCING: Final = ("kill", "stop", "restart_all", "point", "freeze", "zombie")
_DRAWN: Final = [name for name, kind in KINDS.items() if kind.weight]
DRAWN: Final = frozenset(_DRAWN)


def draw(seed: int, *, seconds: float, count: int) -> list[Fault]:
    """Return at least `count` faults of a load of so many seconds, in the order in which they begin."""
    chance = random.Random(seed)
    part = seed % PARTS
    last = max(_CALM_SECONDS, seconds - 2.0)

    def moment() -> float:
        return chance.uniform(_CALM_SECONDS, last)

    drawn = [KINDS[name].draw(chance, name, moment()) for name in _DRAWN[part::PARTS]]
    points = POINTS[part::PARTS]
    shuffled = sorted(chance.sample(points, k=len(points)), key=lambda point: first_of(point) != "lose_kafka")  # it takes long
    for place, point in enumerate(shuffled):  # over the time: a service dies at one at a time
        at = _CALM_SECONDS + (last - _CALM_SECONDS) * place / len(points) * 0.9
        drawn.append(Fault(round(at, 2), "point", chance.choice(services_of(point)), point=point))
    weights = [KINDS[name].weight for name in _DRAWN]
    while len(drawn) < count:
        (name,) = chance.choices(_DRAWN, weights)
        drawn.append(KINDS[name].draw(chance, name, moment()))
    return sorted(with_room(drawn, last=last), key=lambda one: one.at)


def with_room(drawn: list[Fault], *, last: float) -> list[Fault]:
    """Have long faults end with the load, and nothing silence the service that has to tell of one, where that can be had."""
    for place, one in enumerate(drawn):
        if KINDS[one.kind].is_long(one):
            drawn[place] = one = replace(one, at=round(min(one.at, max(_CALM_SECONDS, last - one.seconds)), 2))
            drawn = [other if other is one else _apart(other, one, last=last) for other in drawn]
    return drawn


def _apart(other: Fault, long: Fault, *, last: float) -> Fault:
    """Return what would silence the service of a long fault so that it comes after it, or before."""
    service = long.target.rpartition(".")[2]
    after = long.at + long.seconds + _ROOM_SECONDS
    if other.kind not in _SILENCING or other.target not in ("", service) or not long.at - _ROOM_SECONDS < other.at < after:
        return other
    before = max(_CALM_SECONDS, long.at - _ROOM_SECONDS - other.seconds)
    return replace(other, at=round(after if after <= last else before, 2))
