"""What a batch costs on the wire to PostgreSQL: round trips, and bytes kept per request. Counted, not timed."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from deploy.local.town import ORGANISATION
from services.intake.app import build as build_intake
from services.intake.settings import IntakeSettings
from services.intake.submission import Acceptance
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
from shared.events.inbound import Submission
from shared.organisation import OrganisationSource
from shared.vault.seal import Vault
from tests.cost.records import PARTITION, SUBMISSION, first_records, of_outbox
from tests.notifier.conftest import KEYS, LINK_KEY
from tests.proof.counting_proxy import CountingProxy
from tests.proof.database import migrated

SIZES = (1, 100)
_OUTBOX = "SELECT request_id, topic, key, sequence, type, at, traceparent, value, headers, seen FROM router.outbox ORDER BY id"


class Bench:
    """The five services on a database behind a proxy that counts; nothing of them runs by itself."""

    def __init__(self, apps: dict[str, App[Any]], admin: asyncpg.Connection, proxy: CountingProxy) -> None:
        self.apps, self.admin, self._proxy = apps, admin, proxy
        self._next = dict.fromkeys(("requests.v1", "handling.v1"), 0)

    @classmethod
    async def open(cls, admin_dsn: str, proxy: CountingProxy) -> "Bench":
        """Migrate an empty database and build the services as their `app.py` does."""
        place = proxy.dsn.rpartition("@")[2]
        dsns = {name: f"{dsn.rpartition('@')[0]}@{place}" for name, dsn in (await migrated(admin_dsn)).items()}
        told: dict[str, Any] = {"kafka": "127.0.0.1:9", "organisation": ORGANISATION, "port": 8000, "keys": KEYS}
        told |= {"link_key": LINK_KEY, "site_url": "http://site.test", "smtp": "smtp://127.0.0.1:9"}
        apps: dict[str, App[Any]] = {
            "intake": await build_intake(IntakeSettings(**told, database=dsns["intake"])),
            "router": await build_router(RouterSettings(**told, database=dsns["router"])),
            "sla": await build_sla(SlaSettings(**told, database=dsns["sla"])),
            "notifier": await build_notifier(NotifierSettings(**told, database=dsns["notifier"])),
            "stats": await build_stats(StatsSettings(**told, database=dsns["stats"])),
        }
        for app in apps.values():
            app.shell.gate.trust()  # no Kafka here: nothing to compare the database with
        return cls(apps, await asyncpg.connect(admin_dsn), proxy)

    async def close(self) -> None:
        """Give the connections up."""
        for app in self.apps.values():
            app.pool.terminate()
        await self.admin.close()

    async def trips(self, work: Callable[[], Awaitable[object]]) -> int:
        """Return how many round trips a piece of work takes."""
        self._proxy.trips = 0
        await work()
        return self._proxy.trips

    async def take(self, name: str, records: list[RawRecord]) -> int:
        """Let a service take a batch of one partition; return the round trips."""
        app = self.apps[name]
        trips = await self.trips(lambda: app.shell.take({(records[0].topic, PARTITION): records}))
        position = await app.shell.positions.find()
        assert position[records[0].topic, PARTITION] == records[-1].offset + 1, f"{name} did not take the batch"
        return trips

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


async def _submitted(bench: Bench, count: int) -> int:
    app = bench.apps["intake"]
    acceptance = Acceptance(organisation=OrganisationSource(ORGANISATION), clock=SystemClock(), vault=Vault.from_text(KEYS))
    inputs = [acceptance.input_for(Submission.model_validate_json(SUBMISSION)) for _ in range(count)]
    return await bench.trips(lambda: app.shell.run(inputs, lane="local"))


async def _said(bench: Bench) -> dict[str, int]:
    """Return the bytes that a request leaves in the outboxes of those who tell its beginning."""
    told = {}
    for name in ("intake", "router"):
        sql = f"SELECT sum(octet_length(value)) / count(DISTINCT request_id) FROM {name}.outbox WHERE value IS NOT NULL"
        told[f"{name}: bytes in the outbox a request"] = round(await bench.admin.fetchval(sql))
    return told


async def _states(bench: Bench) -> dict[str, int]:
    """Return the bytes of a request's state in each service, once it is assigned."""
    told = {}
    for name in bench.apps:
        sql = f"SELECT avg(octet_length(state)) FROM {name}.request WHERE state IS NOT NULL"
        told[f"{name}: bytes of a state"] = round(await bench.admin.fetchval(sql))
    return told


async def measured(admin_dsn: str) -> dict[str, int]:
    """Return round trips by service, kind and size of a batch, and bytes by service. A batch of each kind warms up."""
    told: dict[str, int] = {}
    async with CountingProxy(admin_dsn).serving() as proxy:
        bench = await Bench.open(admin_dsn, proxy)
        try:
            for warm, size in [(True, size) for size in SIZES] + [(False, size) for size in SIZES]:
                found = {f"intake: round trips, {size} submitted": await _submitted(bench, size)}
                received = bench.received(size)
                found[f"router: round trips, {size} received"] = await bench.take("router", received)
                kept = await _said(bench)
                life = await bench.life()
                for name in ("sla", "notifier", "stats"):
                    found[f"{name}: round trips, {size} received"] = await bench.take(name, received)
                for name in ("intake", "sla", "notifier", "stats"):
                    found[f"{name}: round trips, lives of {size}"] = await bench.take(name, life)
                if not warm:
                    told |= found | kept | await _states(bench)
        finally:
            await bench.close()
    return told
