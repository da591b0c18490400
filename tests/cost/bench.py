"""The five services as the cost gate runs them: on a database behind a proxy that counts."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg

from deploy.local.town import ORGANISATION
from services.intake.app import build as build_intake
from services.intake.settings import IntakeSettings
from services.notifier.app import build as build_notifier
from services.notifier.settings import NotifierSettings
from services.router.app import build as build_router
from services.router.settings import RouterSettings
from services.sla.app import build as build_sla
from services.sla.settings import SlaSettings
from services.stats.app import build as build_stats
from services.stats.settings import StatsSettings
from shared.app import App
from shared.clock import SystemClock
from shared.delivery.values import Outgoing, RawRecord
from tests.cost.records import PARTITION, first_records, of_outbox
from tests.figures.counting_proxy import CountingProxy
from tests.figures.database import migrated
from tests.notifier.conftest import KEYS, LINK_KEY

_OUTBOX = "SELECT request_id, topic, key, sequence, type, at, traceparent, value, headers, seen FROM router.outbox ORDER BY id"


class Bench:
    """The five services on a database behind a proxy that counts; nothing of them runs by itself."""

    def __init__(
        self, apps: dict[str, App[Any]], admin: asyncpg.Connection, admin_dsn: str, proxy: CountingProxy, clock_file: Path
    ) -> None:
        self.apps, self.admin, self.admin_dsn, self._proxy = apps, admin, admin_dsn, proxy
        self.clock_file = clock_file
        """What the sla's clock shows; not there at first, so that it is the system's."""
        self._next = dict.fromkeys(("requests.v1", "handling.v1"), 0)

    @classmethod
    async def open(cls, admin_dsn: str, proxy: CountingProxy, clock_file: Path) -> "Bench":
        """Migrate an empty database and build the services as their `app.py` does; the sla's clock is the file's."""
        place = proxy.dsn.rpartition("@")[2]
        dsns = {name: f"{dsn.rpartition('@')[0]}@{place}" for name, dsn in (await migrated(admin_dsn)).items()}
        told: dict[str, Any] = {"kafka": "127.0.0.1:9", "organisation": ORGANISATION, "port": 8000, "keys": KEYS}
        told |= {"link_key": LINK_KEY, "site_url": "http://site.test", "smtp": "smtp://127.0.0.1:9"}
        apps: dict[str, App[Any]] = {
            "intake": await build_intake(IntakeSettings(**told, database=dsns["intake"])),
            "router": await build_router(RouterSettings(**told, database=dsns["router"])),
            "sla": await build_sla(SlaSettings(**told, database=dsns["sla"], clock_file=clock_file)),
            "notifier": await build_notifier(NotifierSettings(**told, database=dsns["notifier"])),
            "stats": await build_stats(StatsSettings(**told, database=dsns["stats"])),
        }
        for app in apps.values():
            app.shell.gate.trust()  # no Kafka here: nothing to compare the database with
        ticks = apps["sla"].pool  # a tick works on several connections: with one left, nothing depends on which has prepared what
        for _ in range(ticks.get_max_size() - 1):
            await ticks.acquire()
        return cls(apps, await asyncpg.connect(admin_dsn), admin_dsn, proxy, clock_file)

    async def close(self) -> None:
        """Give the connections up."""
        for app in self.apps.values():
            app.pool.terminate()
        await self.admin.close()

    async def cost(self, name: str, what: str, work: Callable[[], Awaitable[object]]) -> dict[str, int]:
        """Return what a piece of work of a service costs, by kind."""
        self._proxy.trips = self._proxy.statements = 0
        await work()
        return {f"{name}: round trips, {what}": self._proxy.trips, f"{name}: statements, {what}": self._proxy.statements}

    async def take(self, name: str, what: str, records: list[RawRecord]) -> dict[str, int]:
        """Let a service take a batch of one partition; return the cost."""
        app = self.apps[name]
        cost = await self.cost(name, what, lambda: app.shell.take({(records[0].topic, PARTITION): records}))
        position = await app.shell.positions.find()
        assert position[records[0].topic, PARTITION] == records[-1].offset + 1, f"{name} did not take the batch"
        return cost

    def received(self, count: int) -> list[RawRecord]:
        """Return new requests, numbered on."""
        start = self._next["requests.v1"]
        self._next["requests.v1"] += count
        return first_records(count, SystemClock().now(), start=start)

    async def life(self) -> list[RawRecord]:
        """Return what the router said since the last time."""
        rows = [Outgoing(*row) for row in await self.admin.fetch(_OUTBOX)]
        await self.admin.execute("TRUNCATE router.outbox")
        records = of_outbox(rows, "handling.v1", start=self._next["handling.v1"])
        self._next["handling.v1"] += len(records)
        return records
