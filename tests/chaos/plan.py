"""The plan of a seed: every fault of a run, drawn beforehand."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from deploy.local.town import names_of
from shared.delivery.points import POINTS
from tests.chaos.faults import KINDS
from tests.chaos.reached import first_of, services_of
from tests.chaos.stage import Fault
from tests.chaos.town import ENDS, LINKS, meet

PARTS: Final = 3
"""Over so many seeds in a row every kind of fault and every point comes at least once. In each a link to each end is struck."""
_CALM_SECONDS: Final = 2.0
_ROOM_SECONDS: Final = 7.0
"""What has to be left after a long fault for its service to tell of it."""
_SILENCING: Final = ("kill", "stop", "restart_all", "point", "freeze", "zombie")
_SHARED: Final = ("point", "lock", "slow_statements", "rewind", "repeat")
"""What strikes a service, however many processes it has; everything else strikes one of them."""
_LINKED: Final = [name for name, kind in KINDS.items() if kind.targets == LINKS]
_DRAWN: Final = [name for name, kind in KINDS.items() if kind.weight]
DRAWN: Final = frozenset(_DRAWN)


def draw(seed: int, *, seconds: float, count: int, copies: Mapping[str, int] = {}) -> list[Fault]:
    """Return at least `count` faults of a load of so many seconds, in the order in which they begin.

    copies: how many processes a service has, where these are not one. What they share is struck as one; else one of them is.
    """
    chance = random.Random(seed)
    part = seed % PARTS
    last = max(_CALM_SECONDS, seconds - 2.0)

    def moment() -> float:
        return chance.uniform(_CALM_SECONDS, last)

    drawn = [KINDS[name].draw(chance, name, moment()) for name in _DRAWN[part::PARTS]]
    for end in ENDS:
        name = chance.choice(_LINKED)
        there = tuple(link for link in LINKS if link.startswith(f"{end}."))
        drawn.append(KINDS[name]._replace(targets=there).draw(chance, name, moment()))
    points = POINTS[part::PARTS]
    shuffled = sorted(chance.sample(points, k=len(points)), key=lambda point: first_of(point) != "lose_kafka")  # it takes long
    for place, point in enumerate(shuffled):  # over the time: a service dies at one at a time
        at = _CALM_SECONDS + (last - _CALM_SECONDS) * place / len(points) * 0.9
        drawn.append(Fault(round(at, 2), "point", chance.choice(services_of(point)), point=point))
    weights = [KINDS[name].weight for name in _DRAWN]
    while len(drawn) < count:
        (name,) = chance.choices(_DRAWN, weights)
        drawn.append(KINDS[name].draw(chance, name, moment()))
    aim = random.Random(seed)
    return sorted(with_room([_aimed(one, copies, aim) for one in drawn], last=last), key=lambda one: one.at)


def _aimed(fault: Fault, copies: Mapping[str, int], aim: random.Random) -> Fault:
    """Have a fault strike one of the copies of its service; nobody can be a zombie where nobody else takes over."""
    if fault.kind == "zombie":
        if not copies:
            return replace(fault, kind="freeze")
        fault = replace(fault, target=fault.target if fault.target in copies else aim.choice(sorted(copies)))
    server, dot, service = fault.target.rpartition(".")
    if fault.kind in _SHARED or service not in copies:
        return fault
    return replace(fault, target=f"{server}{dot}{aim.choice(names_of(service, copies[service]))}")


def with_room(drawn: list[Fault], *, last: float) -> list[Fault]:
    """Have long faults end with the load, and nothing silence the service that has to tell of one, where that can be had."""
    for place, one in enumerate(drawn):
        if KINDS[one.kind].is_long(one):
            drawn[place] = one = replace(one, at=round(min(one.at, max(_CALM_SECONDS, last - one.seconds)), 2))
            drawn = [other if other is one else _apart(other, one, last=last) for other in drawn]
    return drawn


def _apart(other: Fault, long: Fault, *, last: float) -> Fault:
    """Return what would silence the service of a long fault so that it comes after it, or before."""
    name = long.target.rpartition(".")[2]
    after = long.at + long.seconds + _ROOM_SECONDS
    silenced = other.kind in _SILENCING and (not other.target or meet(other.target, name))
    if long.kind == "zombie" and other.kind == "point":
        return other  # each waits for the other to be over
    if not silenced or not long.at - _ROOM_SECONDS < other.at < after:
        return other
    before = max(_CALM_SECONDS, long.at - _ROOM_SECONDS - other.seconds)
    return replace(other, at=round(after if after <= last else before, 2))
