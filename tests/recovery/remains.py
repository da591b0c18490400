"""What a database that is lost had in hand when it ended, read from its own files: nobody but the test can ever know."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import msgspec

from deploy.local import ports
from shared.events.topics import SERVICES
from tests.judge.evidence import History, Record, What
from tests.judge.letters import Letter, letter_of
from tests.scene import Scene

_ACTS: Final[dict[str, What]] = {
    "information_added": "add",
    "withdrawal_asked": "withdraw",
    "reopening_asked": "reopen",
    "taken_in_charge": "take_charge",
    "usager_asked": "ask",
    "answered": "answer",
    "transferred": "transfer",
    "resolved": "resolve",
}
"""What somebody did that is told by such an event, by the last words of its type."""


class Told(NamedTuple):
    """A committed event that was not noted as published. `at`: the instant that it tells, by the town's clock."""

    topic: str
    request_id: UUID
    sequence: int
    type: str
    value: bytes
    at: datetime

    @property
    def name(self) -> str:
        """The last words of its type."""
        return self.type.removeprefix("fr.aiguilleur.").split(".")[1]


@dataclass
class Remains:
    """`told`: what may be in the log, or not. `letters`: handed over or not, no note of it was committed.

    ended_at: when it ended, by the town's clock. late: since when a mail may have been handed over without a word of it in the
    log, by the clock of the sink.
    """

    ended_at: datetime
    late: datetime
    told: list[Told] = field(default_factory=list)
    letters: set[Letter] = field(default_factory=set)

    def forget(self, log: Iterable[Record]) -> None:
        """Leave of what was told only what the log lacks: that is nowhere any more."""
        logged = {(one.topic, one.request_id, one.sequence): one.value for one in log}
        self.told = [one for one in self.told if logged.get(one[:3]) != one.value]

    @property
    def accepted(self) -> dict[UUID, datetime]:
        """The requests of which nothing is left, and when they were accepted."""
        return {one.request_id: one.at for one in self.told if one.name == "received"}

    def excuse(self, history: History, mails: Iterable[Mapping[str, Any]]) -> int:
        """Take out of what the clients were told what nobody can know any more; return how many acts are undone.

        `mails`: what the sink had before anything was restored. Any: JSON.
        """
        history.accepted -= self.accepted.keys()
        undone = Counter((one.request_id, _ACTS[one.name]) for one in self.told if one.name in _ACTS)
        for one in self.told:
            if one.name == "erased" and history.erasures is not None:
                history.erasures[one.request_id] = "unknown"
        acts, history.acts = history.acts or [], []
        for act in acts:
            is_undone = act.outcome == "done" and undone[act.request_id, act.what] > 0
            undone[act.request_id, act.what] -= is_undone
            history.acts.append(replace(act, outcome="unknown") if is_undone else act)
        unsaid = {(one.request_id, msgspec.json.decode(one.value)["letter"]) for one in self.told if one.name == "sent"}
        mailed = [mail["message_id"] for mail in mails if datetime.fromisoformat(mail["received_at"]) > self.late]
        history.unnoted = Counter({name for name in mailed if letter_of(name) in self.letters | unsaid})
        return sum(one.outcome != other.outcome for one, other in zip(acts, history.acts, strict=True))


async def read_remains(scene: Scene, *, ended_at: datetime, late: datetime) -> Remains:
    """Read what the ended PostgreSQL of a scene had committed and not published; it is ended again afterwards."""
    remains = Remains(ended_at, late)
    async with _opened(scene) as database:
        for service in SERVICES:
            rows = await database.fetch(
                f"SELECT {', '.join(Told._fields)} FROM {service}.outbox "  # a service's own schema
                "WHERE published_at IS NULL AND sequence IS NOT NULL"
            )
            remains.told += [Told(*row) for row in rows]
        remains.letters = {(row[0], row[1]) for row in await database.fetch("SELECT request_id, name FROM notifier.letter")}
    print(f"PostgreSQL ended with {len(remains.told)} events to publish, {len(remains.letters)} letters to send", flush=True)
    return remains


@asynccontextmanager
async def _opened(scene: Scene) -> AsyncIterator[asyncpg.Connection]:
    """Start the server where no service looks for it, for the time of the block."""
    server = scene.postgres
    address, server.port = server.port, ports.free_port()
    await asyncio.to_thread(server.restart)
    try:
        database = await asyncpg.connect(urlsplit(server.dsn)._replace(path=urlsplit(scene.town.admin_dsn).path).geturl())
        try:
            yield database
        finally:
            await database.close()
    finally:
        await asyncio.to_thread(server.stop)
        server.port = address
