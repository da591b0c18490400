"""The sample service over the store in memory or over PostgreSQL, behind one face: what both must do alike."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg

from shared.clock import SetClock
from shared.delivery.parking import Parking
from shared.delivery.positions import Positions
from shared.delivery.reader import Reader
from shared.delivery.shell import Shell
from shared.organisation import Authority
from shared.vault.seal import Vault
from tests.chaos.proxy import Proxy, Weather
from tests.delivery.bench import KEYS, WITH_ROWS, Bench
from tests.delivery.sample import NOW, Notes
from tests.simulation.connection import Connection, Locks, Pool
from tests.simulation.parked import MemoryParked
from tests.simulation.parking import MemoryParking
from tests.simulation.rows import OwnRows
from tests.simulation.scheduler import SECOND, Scheduler, pause
from tests.simulation.store import MemoryStore, Tables

TABLES = ("position", "request", "outbox", "parked", "inbox", "halt", "heard")
LINK: Final = "postgresql"
SHORTLY: Final = 0.2
_LEFT_OUT = ("created_at", "published_at", "parked_at", "resolved_at", "taken_at", "told_at", "log")
"""Instants, and the identity of the log, which the consumer notes down."""


class Desk(Protocol):
    """A shell of the sample service and what its tables hold."""

    shell: Shell[Notes]
    parking: Parking[Notes]

    async def rows(self, table: str) -> list[dict[str, Any]]:
        """Return a table in a fixed order, its instants left out."""
        ...

    async def side_by_side(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        """Have all of it under way at once; return what each returned or raised."""
        ...

    async def rest(self, seconds: float = SHORTLY) -> None:
        """Wait, by default for long enough that whatever else is under way meets what it has to wait for."""
        ...

    async def idle(self, connection: Any, seconds: float) -> None:
        """Say nothing within a transaction. May raise what the next statement would."""
        ...

    async def lose_commit(self, *, done: bool) -> None:
        """Have the next COMMIT, that of the only open transaction, not answered. `done`: it is done all the same."""
        ...


@dataclass(frozen=True)
class Way:
    """A link LINK of a proxy to a database, and the address of that without it."""

    proxy: Proxy
    dsn: str


class RealDesk:
    """On PostgreSQL."""

    def __init__(self, bench: Bench, way: Way | None = None) -> None:
        """`way`: how the bench speaks to its database, where `lose_commit` is to break it."""
        self._way = way
        self._breaking: asyncio.Task[None] | None = None
        self.shell = bench.shell
        self.parking: Parking[Notes] = Parking(bench.shell)

    async def rows(self, table: str) -> list[dict[str, Any]]:
        order = {
            "position": "topic, partition",
            "request": "request_id",
            "inbox": "source, id",
            "halt": "instance",
            "heard": "request_id",
        }
        sql = f"SELECT * FROM notifier.{table} ORDER BY {order.get(table, 'id')}"  # a table of TABLES
        return [_told(dict(row)) for row in await self.shell.pool.fetch(sql)]

    async def side_by_side(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        return await asyncio.gather(*work, return_exceptions=True)

    async def rest(self, seconds: float = SHORTLY) -> None:
        await asyncio.sleep(seconds)

    async def idle(self, _connection: Any, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def lose_commit(self, *, done: bool) -> None:
        """Hold what goes to the server, or its answer, until the COMMIT is said; then reset the connections."""
        assert self._way is not None, "there is a link to break"
        self._way.proxy.change([LINK], Weather(down=False) if done else Weather(up=False))
        self._breaking = asyncio.create_task(self._break(self._way, done=done))

    async def _break(self, way: Way, *, done: bool) -> None:
        await (_until_none_is_open(way.dsn) if done else self.rest())
        await asyncio.to_thread(way.proxy.reset, [LINK])
        await asyncio.to_thread(way.proxy.heal)


async def _until_none_is_open(dsn: str) -> None:
    database = await asyncpg.connect(dsn)
    try:
        while await database.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ):
            await asyncio.sleep(0.01)
    finally:
        await database.close()


class Calm:
    """No trouble, but for the one commit that is not answered when `lost` says whether it is done."""

    def __init__(self) -> None:
        self.lost: bool | None = None

    def at(self, _point: str) -> int | None:
        return None

    def commits(self) -> bool | None:
        lost, self.lost = self.lost, None
        return lost

    def unheard(self, _parked: int) -> None:
        pass


class SampleRows(OwnRows):
    """The sample's own table."""

    def __init__(self) -> None:
        super().__init__({})
        self.heard: dict[UUID, str] = {}

    def write(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        assert statement == "heard"
        self.heard |= dict(rows)


class MemoryDesk:
    """In memory."""

    def __init__(self, authority: Authority) -> None:
        scheduler = self._scheduler = Scheduler(NOW)
        locks, vault = Locks(scheduler), Vault(KEYS)
        troubles = self._troubles = Calm()
        pool: Any = Pool(locks, troubles)
        self.shell: Shell[Notes] = Shell(
            WITH_ROWS, pool=pool, clock=SetClock(NOW), authority_of=lambda _code: authority, vault=vault
        )
        reader: Reader = self.shell.reader
        parked = MemoryParked("notifier", read=reader.read_parked, hide=vault.hide, now=scheduler.tick)
        self._own = SampleRows()
        self.tables: Tables[Notes] = Tables(self.shell.core, parked, self._own, locks, scheduler.tick)
        self.shell.store = MemoryStore(self.tables, reader.read_waiting, troubles)  # type: ignore[assignment]  # stands for the store
        self.shell.positions = Positions(self.shell.pool, self.shell.store, self.shell.service.name)
        self.parking: Parking[Notes] = MemoryParking(self.shell, self.tables)

    async def side_by_side(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        outcomes: list[Any] = [None] * len(work)

        async def note(place: int, one: Coroutine[Any, Any, Any]) -> None:
            try:
                outcomes[place] = await one
            except Exception as error:
                outcomes[place] = error

        for place, one in enumerate(work):
            self._scheduler.spawn(note(place, one))
        self._scheduler.run()
        return outcomes

    async def rest(self, seconds: float = SHORTLY) -> None:
        await pause(round(seconds * SECOND))

    async def idle(self, connection: Connection, seconds: float) -> None:
        await connection.wait(round(seconds * SECOND))

    async def lose_commit(self, *, done: bool) -> None:
        self._troubles.lost = done

    async def rows(self, table: str) -> list[dict[str, Any]]:
        tables = self.tables
        match table:
            case "position":
                found = [{"topic": place[0], "partition": place[1], "next_offset": at} for place, at in tables.positions.items()]
                return sorted(found, key=lambda row: (row["topic"], row["partition"]))
            case "request":
                return sorted(tables.request_rows(), key=lambda row: row["request_id"])
            case "outbox":
                return [_told(row) for row in sorted(tables.outbox_rows(), key=lambda row: row["id"])]
            case "parked":
                return [_told(row) for row in tables.parked.rows.values()]
            case "inbox":
                found = [
                    {"source": source, "id": one, "digest": digest, "request_id": request_id}
                    for (source, one), (digest, request_id) in tables.inbox.items()
                ]
                return sorted(found, key=lambda row: (row["source"], row["id"]))
            case "halt":
                return [{"instance": one, "why": why} for one, why in sorted(tables.halted.items())]
            case _:
                return [{"request_id": one, "text": text} for one, text in sorted(self._own.heard.items())]


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out instants; of a settled record it matters that it is."""
    told = {name: value for name, value in row.items() if name not in _LEFT_OUT}
    if "resolved_at" in row:
        told["settled"] = row["resolved_at"] is not None
    return told
