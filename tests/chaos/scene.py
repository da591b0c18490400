"""The scene of chaos: servers that may be killed, links that may be cut, and services that an orchestrator starts again."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import asyncpg

from deploy.local.town import Town, names_of
from shared.events.topics import SERVICES
from tests.chaos.observer import Observer
from tests.chaos.orchestrator import Orchestrator
from tests.chaos.proxy import Proxy
from tests.chaos.town import VISITED, ChaosTown, links_of
from tests.scene import Scene

WAL_SEGMENT_BYTES: Final = 1_048_576
_FILL: Final = """INSERT INTO {service}.outbox (topic, type, value, published_at)
    SELECT 'none', 'none', convert_to(repeat(md5(n::text), 40), 'UTF8'), now() FROM generate_series(1, 1100) AS n"""


class ChaosScene(Scene):
    """A scene with a proxy on every way from a service to a server, and from people to a service. `copies`: as `Town` says."""

    town: ChaosTown
    initdb = (f"--wal-segsize={WAL_SEGMENT_BYTES // 1_048_576}",)
    """Segments as small as can be: a limit on the size of files above theirs fills tables, and does not break the log."""

    def __init__(self, folder: Path, copies: Mapping[str, int] = {}) -> None:
        self._copies = copies
        self.proxy = Proxy()
        self.proxy.__enter__()
        super().__init__(folder)
        self.observer = Observer(self.town)
        self.orchestrator = Orchestrator(self.town, self.observer)

    def _build(self, folder: Path) -> Town:
        names = tuple(name for one in SERVICES for name in names_of(one, self._copies.get(one, 1)))
        detours: dict[str, str] = {}
        for link in links_of(names):
            if link.startswith("kafka."):  # before the broker starts, which says where it is
                detours[link] = self.kafka.detour(link.partition(".")[2], partial(self.proxy.open, link))
        town = super()._build(folder)
        ports = {"postgres": self.postgres.port, "smtp": self.sink.smtp_port}
        for link in links_of(names):
            if (server := link.partition(".")[0]) in ports:
                detours[link] = f"127.0.0.1:{self.proxy.open(link, ports[server])}"
        made = ChaosTown(
            folder, kafka=town.kafka, admin_dsn=self.postgres.dsn, smtp=town.smtp, detours=detours, copies=self._copies
        )
        for name in made.names(*VISITED):
            link = f"clients.{name}"
            made.detours[link] = f"127.0.0.1:{self.proxy.open(link, made.ports[name])}"
        return made

    async def open(self) -> None:
        """Migrate, create the topics, make the tables large enough for a full disk to matter, start the services."""
        await self.town.prepare()
        database = await asyncpg.connect(self.town.admin_dsn)
        try:
            for service in SERVICES:
                await database.execute(f"ALTER TABLE {service}.outbox SET (autovacuum_enabled = false)")
                await database.execute(_FILL.format(service=service))
                await database.execute(f"DELETE FROM {service}.outbox")  # no place is given back: see above
        finally:
            await database.close()
        await asyncio.to_thread(self.town.start)

    def close(self) -> None:
        """End everything."""
        super().close()
        self.proxy.__exit__()
