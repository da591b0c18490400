"""Every kind of fault: how often it is drawn, whom it strikes and for how long, and how it is made."""

import asyncio
import random
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from shared.events.topics import SERVICES
from tests.chaos import database, links, processes
from tests.chaos.forgery import out_of_order, poison, publish
from tests.chaos.proxy import Weather
from tests.chaos.reached import first_of
from tests.chaos.stage import Fault, Make, Stage
from tests.chaos.town import LINKS

POINT_SECONDS: Final = 12.0
POINT_TRIES: Final = 5
_LONG_SHARE: Final = 0.25


class Kind(NamedTuple):
    """A kind of fault. `weight`: how often it is drawn. `targets`: whom it strikes. `seconds`, `amount`: from, to.

    `long`: by the beginning of a target, the seconds of one in four that strike it: long enough for its alarm.
    """

    make: Make
    weight: int = 1
    targets: tuple[str, ...] = ("",)
    seconds: tuple[float, float] = (0.0, 0.0)
    amount: tuple[float, float] = (0.0, 0.0)
    long: Mapping[str, tuple[float, float]] = {}

    def draw(self, chance: random.Random, name: str, at: float) -> Fault:
        """Return one of this kind."""
        target, share = chance.choice(self.targets), chance.random()
        (least, most), long = self.seconds, [long for start, long in self.long.items() if target.startswith(start)]
        if long and share >= 1 - _LONG_SHARE:
            (least, most), share = long[0], (share - 1) / _LONG_SHARE + 1
        return Fault(round(at, 2), name, target, round(least + (most - least) * share, 2), round(chance.uniform(*self.amount), 2))

    def is_long(self, fault: Fault) -> bool:
        """Whether a fault of this kind is one of the long ones."""
        return any(fault.target.startswith(start) and fault.seconds >= long[0] for start, long in self.long.items())


async def _die_at(stage: Stage, fault: Fault) -> None:
    async with stage.turn[fault.target]:
        await _arm(stage, fault)


async def _arm(stage: Stage, fault: Fault) -> None:
    armed = stage.scene.town.arm(fault.target, fault.point)

    def waits() -> bool:
        return all(one.exists() for one in armed)

    first = first_of(fault.point)
    for _ in range(POINT_TRIES):  # other faults may keep the service from going there for long
        if first is not None:
            await KINDS[first].make(stage, Fault(fault.at, first, fault.target, seconds=KINDS[first].seconds[1]))
        until = time.monotonic() + POINT_SECONDS
        while waits() and time.monotonic() < until:
            await asyncio.sleep(0.05)
        if not waits():
            break
    if not waits():
        stage.reached.add(fault.point)
    for one in armed:
        one.unlink(missing_ok=True)


async def _kill_broker(stage: Stage, fault: Fault) -> None:
    async with stage.during(fault, "kafka"):
        await asyncio.to_thread(stage.scene.kafka.kill)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(stage.scene.kafka.restart)


async def _freeze_broker(stage: Stage, fault: Fault) -> None:
    async with stage.during(fault, "kafka"):
        stage.scene.kafka.pause()
        await asyncio.sleep(fault.seconds)
        stage.scene.kafka.resume()


async def _pass_time(stage: Stage, fault: Fault) -> None:
    town = stage.scene.town
    town.set_clock(town.now() + timedelta(seconds=fault.amount), speed=1.0)


async def _pass_days(stage: Stage, _fault: Fault) -> None:
    town = stage.scene.town
    town.set_clock(town.now() + timedelta(days=6), speed=1.0)


async def _skew(stage: Stage, fault: Fault) -> None:
    town = stage.scene.town
    town.skew(fault.target, timedelta(seconds=fault.amount))
    await asyncio.sleep(fault.seconds)
    town.set_clock(town.now(), speed=1.0)


def _mail_server(**behaviour: object) -> Make:
    """Return what has the mail server behave so."""

    async def make(stage: Stage, fault: Fault) -> None:
        async with stage.during(fault, "smtp"):
            sink = stage.scene.sink
            before = await asyncio.to_thread(sink.struck)
            await asyncio.to_thread(lambda: sink.behave(**behaviour))
            await asyncio.sleep(fault.seconds)
            await asyncio.to_thread(sink.behave)
            if await asyncio.to_thread(sink.struck) == before:
                stage.unfelt.add(fault)

    return make


async def _burst(stage: Stage, fault: Fault) -> None:
    async with stage.load.at(5.0):
        await asyncio.sleep(fault.seconds)


async def _spoil(stage: Stage, fault: Fault) -> None:
    spoilt = poison()
    stage.scene.history.forged |= spoilt.about
    async with stage.during(fault, "kafka"):
        await publish(stage.scene.kafka.bootstrap, "requests.v1", spoilt.records)


async def _disorder(stage: Stage, fault: Fault) -> None:
    forged = out_of_order()
    stage.scene.history.forged.add(forged.request_id)
    async with stage.during(fault, "kafka"):
        await publish(stage.scene.kafka.bootstrap, "requests.v1", [forged.early, forged.early])
        await asyncio.sleep(1.0)  # within which a gap is seen; together in one batch they are none
        await publish(stage.scene.kafka.bootstrap, "requests.v1", [forged.late, forged.late])


_LONG_CUT: Final = {"kafka": (16.0, 18.0)}
_TABLES: Final = tuple(f"{table}.{service}" for service in SERVICES for table in ("request", "outbox", "position"))
_WRITTEN: Final = tuple(table for table in _TABLES if table != "outbox.stats")  # it publishes nothing
KINDS: Final[dict[str, Kind]] = {
    "kill": Kind(processes.kill, 10, SERVICES),
    "stop": Kind(processes.stop, 2, SERVICES),
    "restart_all": Kind(processes.restart_all, 1),
    "point": Kind(_die_at, 0),
    "freeze": Kind(processes.freeze, 3, SERVICES, (0.5, 4), long={"": (4.5, 6)}),
    "zombie": Kind(processes.haunt, 1, SERVICES, (15, 17), long={"": (15, 17)}),  # all of them: the group waits 10 s and more
    "broker_kill": Kind(_kill_broker, 1, ("kafka",), (0.5, 4)),
    "broker_freeze": Kind(_freeze_broker, 1, ("kafka",), (1, 6), long={"": (16, 18)}),
    "postgres_stop": Kind(database.stop, 1, ("postgres",), (0.2, 3)),
    "disk_full": Kind(database.fill_disk, 1, ("postgres",), (2, 5)),
    "lock": Kind(database.lock, 3, _TABLES, (1, 4), long={"": (22, 24)}),
    "slow_statements": Kind(database.slow_statements, 2, _WRITTEN, (3, 8), (0.2, 1.0)),
    "cut": Kind(links.weather(lambda _: links.CUT), 2, LINKS, (1, 8), long=_LONG_CUT),
    "cut_up": Kind(links.weather(lambda _: Weather(up=False)), 2, LINKS, (1, 8), long=_LONG_CUT),
    "cut_down": Kind(links.weather(lambda _: Weather(down=False)), 2, LINKS, (1, 8), long=_LONG_CUT),
    "half_open": Kind(links.weather(lambda _: links.CUT, forget=True), 2, LINKS, (1, 8), long=_LONG_CUT),
    "reset": Kind(links.reset, 4, LINKS),
    "refuse": Kind(links.weather(lambda _: links.SHUT), 3, LINKS, (1, 5), long=_LONG_CUT),
    "latency": Kind(links.weather(lambda one: Weather(latency_seconds=one.amount)), 2, LINKS, (2, 8), (0.01, 0.2)),
    "clock_forward": Kind(_pass_time, 2, ("clock",), amount=(60, 8 * 3600)),
    "clock_back": Kind(_pass_time, 1, ("clock",), amount=(-90, -5)),
    "clock_skew": Kind(_skew, 1, SERVICES, (2, 6), (-30, 30)),
    "smtp_puts_off": Kind(_mail_server(refuse=451), 1, ("smtp",), (2, 4)),
    "smtp_refuses": Kind(_mail_server(refuse=550, recipient="usager", after_content=True), 1, ("smtp",), (1, 2)),
    "smtp_slow": Kind(_mail_server(delay_seconds=1.0), 1, ("smtp",), (2, 5)),
    "smtp_drops": Kind(_mail_server(drop_connection=True), 1, ("smtp",), (1, 3)),
    "smtp_forgets": Kind(_mail_server(drop_connection=True, store_before_dropping=True), 1, ("smtp",), (0.5, 2)),
    "burst": Kind(_burst, 1, ("load",), (1, 3)),
    "poison": Kind(_spoil, 1, ("log",)),
    "disorder": Kind(_disorder, 1, ("log",)),
    "rewind": Kind(database.rewind, 1, SERVICES),
    "repeat": Kind(database.repeat, 1, ("intake", "router", "notifier")),
    # What leads to a point, each for its service.
    "days_pass": Kind(_pass_days, 0, ("clock",)),
    "reset_postgres": Kind(lambda stage, one: links.reset(stage, Fault(one.at, "reset", f"postgres.{one.target}")), 0, SERVICES),
    "reset_smtp": Kind(lambda stage, one: links.reset(stage, Fault(one.at, "reset", "smtp.notifier")), 0, SERVICES),
    "lose_kafka": Kind(lambda stage, one: links.lose(stage, one, "kafka", 22), 0, SERVICES),
    "lose_smtp": Kind(lambda stage, one: links.lose(stage, one, "smtp", 3), 0, SERVICES),
    "days_pass_for_the_sla": Kind(
        lambda stage, one: _pass_days(stage, one) if one.target == "sla" else asyncio.sleep(0), 0, SERVICES
    ),
}
ASKED: Final = frozenset(
    ("zombie", "disk_full", "lock", "slow_statements", "cut", "cut_up", "cut_down", "half_open", "reset", "latency")
) | {kind for kind in KINDS if kind.startswith("smtp_")}
"""The kinds of which it is known whether a fault met anybody: the others strike whatever is there, or are not seen to."""


async def make(stage: Stage, fault: Fault) -> None:
    """Make one fault of a plan, and return when it is over."""
    await KINDS[fault.kind].make(stage, fault)
    stage.made.append(fault)
