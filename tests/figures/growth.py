"""P11: what open requests in the tables cost each service, beside the same on empty tables, alternating."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from deploy.local import address
from deploy.local.town import ORGANISATION
from services.intake.app import build
from services.intake.settings import IntakeSettings
from services.intake.submission import Acceptance, submit
from services.notifier.service import NOTIFIER
from services.router.service import ROUTER
from services.sla.service import SLA
from services.stats.service import STATS
from shared.clock import SystemClock
from shared.events.broker import create_topics
from shared.events.inbound import Submission
from shared.events.topics import SERVICES
from shared.organisation import OrganisationSource
from shared.vault.seal import Vault
from tests.figures.database import migrated
from tests.figures.fold_speed import fold_ours
from tests.figures.load import produce_requests
from tests.proof.options import Options
from tests.proof.report import Figure, median

CONNECTIONS = 32
_KEYS = f"1:{base64.b64encode(bytes(range(32))).decode()}"
_OF_REQUESTS = (
    "intake.request",
    "intake.tracking",
    "vault.request_key",
    "router.request",
    "router.assignment",
    "sla.request",
    "sla.deadline",
    "notifier.request",
    "notifier.letter",
    "stats.request",
    "stats.cell",
)
_OF_EVENTS = ("intake.outbox", "router.outbox", "sla.outbox", "notifier.outbox")
_TOWNS, _OWNERS = 300, 7
_ANEW = {
    "request_id": "('0180' || lpad(to_hex(n), 8, '0') || '7abc8def' || substr(md5(n::text), 1, 12))::uuid",
    "reference": "'R' || n",
    "token_digest": "md5(n::text) || md5('t' || n)",
    "due_at": "due_at + n * interval '0.1 second'",
    "next_try_at": "now() + n * interval '0.1 second'",
    "authority": f"'commune-' || n % {_TOWNS}",
    "service": f"'service-' || n % {_OWNERS}",
    "day": f"day - (n / {_TOWNS * _OWNERS})::int",
}
"""What differs from one open request to the next: ids as they are made, earlier than those to come, and what is looked up by.
All else is a real row's; the states are copies, which nobody reads. Each has a letter that is put off, and a cell of its own."""
_STATS = replace(STATS, pace_seconds=0.0)
"""Without the rest between batches, which would be as long as all else."""


@dataclass
class Side:
    """One database. `stays_empty`: it is emptied before each measure; the other one is filled with open requests."""

    name: str
    admin: asyncpg.Connection
    dsns: dict[str, str]
    stays_empty: bool
    filled: int = 0

    async def empty(self) -> None:
        await self.admin.execute(f"TRUNCATE {', '.join((*_OF_REQUESTS, *_OF_EVENTS))}")

    async def fill(self, upto: int) -> None:
        """Add open requests, copies of one that came through the services, until there are so many."""
        for table in _OF_REQUESTS:
            schema, name = table.split(".")
            rows = await self.admin.fetch(
                "SELECT column_name AS c FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2",
                schema,
                name,
            )
            columns = [row["c"] for row in rows]
            made = ", ".join(f"{_ANEW.get(one, one)} AS {one}" if one in _ANEW else one for one in columns)
            sample = f"(SELECT * FROM {table} LIMIT 1) AS sample"
            for start in range(self.filled, upto, 250_000):
                end = min(upto, start + 250_000)
                numbers = f"generate_series({start + 1}, {end}) AS n"
                await self.admin.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {made} FROM {sample}, {numbers}")
            await self.admin.execute(f"VACUUM ANALYZE {table}")
            found = await self.admin.fetchval(f"SELECT count(*) FROM {table}")
            assert found >= upto, f"{table} has {found} rows, {upto} were wanted: there was none to copy"
        self.filled = upto


async def _intake(side: Side, count: int) -> float:
    """Submit requests, 32 at a time, each answered after its commit, without HTTP; return how many a second."""
    told: dict[str, Any] = {"kafka": "127.0.0.1:9", "organisation": ORGANISATION, "database": side.dsns["intake"], "port": 8001}
    app = await build(IntakeSettings(**told, keys=_KEYS))
    app.shell.gate.trust()  # no Kafka here: nothing to compare the database with
    acceptance = Acceptance(organisation=OrganisationSource(ORGANISATION), clock=SystemClock(), vault=Vault.from_text(_KEYS))
    serving = asyncio.create_task(app.shell.local.serve())
    numbers = iter(range(count))

    async def usager() -> None:
        for number in numbers:
            mail = f"usager{number}@courriel.example"
            one = Submission(
                authority="rivemont", channel="app", service="voirie", email=mail, text="Le lampadaire est éteint. " * 10
            )
            await submit(app.shell, acceptance, one, None)

    started = time.perf_counter()
    await asyncio.gather(*(usager() for _ in range(CONNECTIONS)))
    rate = count / (time.perf_counter() - started)
    serving.cancel()
    app.pool.terminate()
    return rate


async def _measure_once(bootstrap: str, sides: list[Side], count: int) -> dict[str, dict[str, float]]:
    """Return microseconds of one request by service and side; each side takes the same new requests, in turn."""
    ways: dict[str, Callable[[Side], Awaitable[float]]] = {
        "intake": lambda side: _intake(side, count // 2),
        "router": lambda side: fold_ours(bootstrap, side.dsns["router"], count, f"{side.name}-router", ROUTER),
        "sla": lambda side: fold_ours(bootstrap, side.dsns["sla"], count, f"{side.name}-sla", SLA),
        "notifier": lambda side: fold_ours(bootstrap, side.dsns["notifier"], count, f"{side.name}-notifier", NOTIFIER),
        "stats": lambda side: fold_ours(bootstrap, side.dsns["stats"], count, f"{side.name}-stats", _STATS),
    }
    await produce_requests(bootstrap, count)
    took: dict[str, dict[str, float]] = {}
    for name, way in ways.items():
        for side in sides:
            if side.stays_empty:
                await side.empty()
            await side.admin.execute("CHECKPOINT")
            took.setdefault(name, {})[side.name] = 1e6 / await way(side)
    return took


async def measure(folder: Path, *, rounds: int, count: int, levels: tuple[int, ...]) -> list[Figure]:
    """Return P11's figures and the costs by level, in microseconds a request."""
    costs: dict[str, list[float]] = {}
    with address.kafka(folder / "kafka") as bootstrap, address.postgres(folder / "postgres") as admin_dsn:
        await create_topics(bootstrap)
        sides = [await _side(admin_dsn, name, stays_empty=name == "empty") for name in ("empty", "filled")]
        await _measure_once(bootstrap, sides, count)  # warms up, and leaves real rows to copy
        for level in levels:
            started = time.perf_counter()
            await sides[1].fill(level)
            print(f"  {level:,} open requests, filled in {time.perf_counter() - started:.0f} s", flush=True)
            for number in range(rounds):
                took = await _measure_once(bootstrap, sides if number % 2 else sides[::-1], count)
                for name, by_side in took.items():
                    costs.setdefault(f"{name} 0", []).append(by_side["empty"])
                    costs.setdefault(f"{name} {level}", []).append(by_side["filled"])
                told = ", ".join(f"{name} {by['filled']:.0f} ({by['empty']:.0f})" for name, by in took.items())
                print(f"  round {number + 1}: µs a request, empty in brackets: {told}", flush=True)
        for side in sides:
            await side.admin.close()
    return _figures(costs, rounds, levels)


async def _side(admin_dsn: str, name: str, *, stays_empty: bool) -> Side:
    server = await asyncpg.connect(admin_dsn)
    await server.execute(f"CREATE DATABASE {name}")
    await server.close()
    dsn = f"{admin_dsn.rsplit('/', 1)[0]}/{name}"
    return Side(name, await asyncpg.connect(dsn, command_timeout=600), await migrated(dsn), stays_empty)


def _figures(costs: dict[str, list[float]], rounds: int, levels: tuple[int, ...]) -> list[Figure]:
    """Return a figure for each service: the level at which it keeps the least of its rate, beside what was empty meanwhile."""
    figures = []
    for name in SERVICES:
        shares = {}
        for place, level in enumerate(levels):
            beside = costs[f"{name} 0"][place * rounds : (place + 1) * rounds]
            shares[level] = median(beside) / median(costs[f"{name} {level}"])
        worst = min(shares, key=shares.__getitem__)
        mine = {key: values for key, values in costs.items() if key.startswith(name)}
        told = ", ".join(f"{level:,}" for level in levels)
        what = f"{name}, rate with open requests / rate with none, the least of {told}: {worst:,} (µs a request below)"
        figures.append(Figure("P11", what, shares[worst], ">= 0.9", shares[worst] >= 0.9, mine))
    return figures


async def prove(options: Options) -> list[Figure]:
    """P11, by `python -m tests.proof growth`."""
    if options.short:
        return await measure(options.folder, rounds=1, count=8_000, levels=(50_000,))
    return await measure(options.folder, rounds=3, count=20_000, levels=(10_000, 100_000, 1_000_000))
