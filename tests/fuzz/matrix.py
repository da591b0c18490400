"""Every hostile record to every service that reads its topic: each is parked, taken or dropped as it must be, and hurts nobody.

On a real PostgreSQL, through the services' own shells; Kafka and its consumer are in test_log.py.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from structlog.testing import capture_logs

from services.notifier.app import build as build_notifier
from shared.app import App
from shared.clock import FileClock
from shared.db.migrate import migrate
from shared.db.rights import role_of
from shared.delivery.parked_rows import decode_headers
from shared.delivery.parking import Choice, Parking
from shared.delivery.values import Input, RawRecord, Ticket
from shared.events.envelope import MAX_VALUE_BYTES
from shared.events.topics import SERVICES, Topic, consumed_by, dead_letters
from shared.identifiers import RequestIds
from tests.fuzz.installation import BUILDS, NOON, PASSWORD, open_gate, settings_for
from tests.fuzz.kind import CANARY, Kind, Outcome
from tests.fuzz.kinds import KINDS
from tests.fuzz.records import TOPIC, Good, good

PAIRS: Final = tuple((service, topic) for service in SERVICES for topic in consumed_by(service))
"""Each service with each topic that it reads."""
_PRODUCER_TAKES: Final = MAX_VALUE_BYTES + 100_000
_PARTITION: Final = 3
_VERSION: Final = 2
"""Of the life of a request that the router has just given to its first owner."""


@asynccontextmanager
async def open_readers(admin_dsn: str, folder: Path) -> AsyncIterator[dict[str, App[Any]]]:
    """Build the five services on an empty database, none of them serving; records are handed to their shells."""
    FileClock.write(folder / "clock.json", shown=NOON, speed=1.0)
    host = admin_dsn.split("@", 1)[1]
    dsns = {service: f"postgresql://{role_of(service)}:{PASSWORD}@{host}" for service in SERVICES}
    await migrate(admin_dsn, dsns, lambda _: None)
    async with AsyncExitStack() as stack:
        apps = {}
        for service in SERVICES:
            told = {"database": dsns[service], "clock_file": folder / "clock.json", "port": 1, "parked_limit": 1_000_000}
            app = await (BUILDS | {"notifier": build_notifier})[service](settings_for(service, **told))
            stack.callback(app.pool.terminate)
            await open_gate(app)
            apps[service] = app
        yield apps


@dataclass
class Seen:
    """What a run of the matrix found. `faults` is empty when all is well."""

    cases: int = 0
    parked: int = 0
    taken: int = 0
    refused: int = 0
    dropped: int = 0
    faults: list[str] = field(default_factory=list)


class Reader:
    """One service and one topic that it reads; a request that nothing hostile may change."""

    def __init__(self, app: App[Any], topic: Topic) -> None:
        self.app, self.topic = app, topic
        self._ids = RequestIds(app.clock)
        self._offset = 0
        self.seen = Seen()
        self.victim = self._ids.new()

    async def begin(self) -> None:
        """Take the first event of the victim."""
        await self._know(self.victim)
        await self._take([await self.good(self.victim)])

    async def good(self, request_id: UUID, **more: Any) -> Good:
        """Return a record that is taken: of business software, about a request that the router knows."""
        await self._know(request_id)
        return good(self.topic, request_id, **({"expected_version": _VERSION} if self._asks else {}), **more)

    @property
    def _asks(self) -> bool:
        """Whether its records are commands: the router answers each."""
        return self.topic.name == "commands.v1"

    async def _know(self, request_id: UUID) -> None:
        if self._asks:
            await self._run(good(TOPIC["requests.v1"], request_id))

    async def _run(self, one: Good, ticket: Ticket | None = None) -> None:
        read = self.app.shell.reader.read(one.raw())
        assert isinstance(read, Input), read
        await self.app.shell.run([read._replace(ticket=ticket)], lane="fuzz")

    async def _take(self, records: list[Good]) -> list[RawRecord]:
        raws = [one.raw(partition=_PARTITION, offset=self._offset + place) for place, one in enumerate(records)]
        self._offset += len(raws)
        behind = await self.app.shell.take({(self.topic.name, _PARTITION): raws})
        if behind:
            self.seen.faults.append(f"{self.app.name} {self.topic.name}: went back to {behind}")
        return raws

    async def meet(self, kind: Kind) -> None:
        """Give the service a hostile record with a neighbour behind it, and look at everything."""
        neighbour = await self.good(self._ids.new())
        hostile = kind.make(await self.good(self._ids.new()))
        before = await self._row(self.victim)
        with capture_logs() as logged:
            raw, _ = await self._take([hostile, neighbour])
        outcome = await self._outcome(hostile, raw)
        self._count(outcome)
        faults = [] if outcome in kind.outcomes else [f"was {outcome}, wanted {' or '.join(sorted(kind.outcomes))}"]
        if await self._outcome(neighbour, None) != "taken":
            faults.append("the neighbour was not taken")
        if await self._row(self.victim) != before:
            faults.append("another request was changed")
        if CANARY in str(logged):
            faults.append("the log holds what it says")
        if outcome == "parked":
            faults += await self._look_at_parked(raw, kind.because)
        elif self._asks:
            faults += await self._look_at_answer(hostile.request_id, kind.because)
        self.seen.faults += [f"{self.app.name}, {self.topic.name}, {kind.name}: {fault}" for fault in faults]

    async def meet_again(self) -> None:
        """Give it what it knows once more, also with other content under the same number; and another tenant's word."""
        first = await self.good(self.victim)
        other = first.saying(**({"text": "Autre chose."} if "text" in first.data else {"authority": "saint-aubrin"}))
        stranger = await self.good(self.victim, sequence=2, authority="saint-aubrin")
        await self._meet_about_victim("an exact copy", first, "dropped")
        await self._meet_about_victim("other content under the same number", other, "dropped")
        if self.topic.name != "intake.inbound.v1":  # there every record is a request of its own
            await self._meet_about_victim("another tenant's authority", stranger, "parked")
        if not self.topic.sequenced:
            await self._meet_under_our_ticket()

    async def _meet_under_our_ticket(self) -> None:
        """Give it a record whose source and id are those of something that a page or the API took."""
        request_id = self._ids.new()
        first = good(TOPIC["handling.v1" if self.app.name == "intake" else "requests.v1"], request_id)
        await self._run(first, ticket=Ticket("api/rivemont", "key", b"digest"))
        hostile = (await self.good(self.victim)).telling("ce_source", b"api/rivemont").telling("ce_id", b"key")
        await self._meet_about_victim("under a ticket of the API", hostile, "parked")

    async def _meet_about_victim(self, name: str, hostile: Good, wanted: Outcome) -> None:
        before, life = await self._row(self.victim), await self._everything_said()
        (raw,) = await self._take([hostile])
        row = await self._parked(raw)
        outcome: Outcome = "parked" if row else "dropped"
        self._count(outcome)
        told = f"{self.app.name}, {self.topic.name}, {name}"
        after = await self._row(self.victim)
        if outcome != wanted:
            self.seen.faults.append(f"{told}: was {outcome}, wanted {wanted}")
        if _content(before) != _content(after) or life != await self._everything_said():
            self.seen.faults.append(f"{told}: the request was changed")

    async def _everything_said(self) -> int:
        return int(await self.app.pool.fetchval(f"SELECT count(*) FROM {self.app.name}.outbox WHERE sequence IS NOT NULL"))

    def _count(self, outcome: Outcome) -> None:
        self.seen.cases += 1
        self.seen.parked += outcome == "parked"
        self.seen.taken += outcome == "taken"
        self.seen.refused += outcome == "refused"
        self.seen.dropped += outcome == "dropped"

    async def _outcome(self, one: Good, raw: RawRecord | None) -> Outcome:
        if raw is not None and await self._parked(raw) is not None:
            return "parked"
        if self.topic.sequenced:
            row = await self._row(one.request_id)
            return "taken" if row and row[f"seen_{self.topic.name.replace('.', '_')}"] else "dropped"
        told = "SELECT count(*) FROM {}.inbox WHERE source = $1"
        if not await self.app.pool.fetchval(told.format(self.app.name), f"/of/{one.request_id}"):
            return "dropped"
        return "refused" if self._asks and any("why" in event for event in await self._life(one.request_id)) else "taken"

    async def _life(self, request_id: UUID) -> list[dict[str, Any]]:
        """What the router has said of a request, as JSON, in order."""
        told = "SELECT value FROM router.outbox WHERE request_id = $1 AND topic = 'handling.v1' ORDER BY sequence"
        return [json.loads(row["value"]) for row in await self.app.pool.fetch(told, request_id)]

    async def _look_at_answer(self, request_id: UUID, why: str) -> list[str]:
        """One event, or the refusal that is wanted, by the router's clock, with a version that any reader can hold."""
        faults = []
        answers = [event for event in await self._life(request_id) if event["version"] > _VERSION or "why" in event]
        if len(answers) != 1 or answers[0].get("why", "") != why:
            faults.append(f"was answered by {answers}, wanted one answer, and the refusal {why or 'none'}")
        for event in answers:
            if not NOON <= datetime.fromisoformat(event["at"]) < NOON + timedelta(days=1):
                faults.append(f"its answer is of {event['at']}, which is not what the clock says")
            if event.get("since") is not None and not 1 <= event["since"] < 2**31:
                faults.append(f"its answer repeats a version that no life has: {event['since']}")
        return faults

    async def _row(self, request_id: UUID) -> dict[str, Any] | None:
        row = await self.app.pool.fetchrow(f"SELECT * FROM {self.app.name}.request WHERE request_id = $1", request_id)
        return dict(row) if row else None

    async def _parked(self, raw: RawRecord) -> Any:
        sql = 'SELECT * FROM {}.parked WHERE topic = $1 AND partition = $2 AND "offset" = $3'
        return await self.app.pool.fetchrow(sql.format(self.app.name), *raw[:3])

    async def _look_at_parked(self, raw: RawRecord, because: str) -> list[str]:
        """Original bytes, reason, no word of it in clear; a copy that Kafka takes."""
        row = await self._parked(raw)
        kept = self.app.shell.reader.read_parked(row)
        faults = [] if kept == raw else ["it is not kept as it came"]
        if not row["detail"] or not row["error_id"]:
            faults.append("no reason is told")
        if because not in row["detail"]:
            faults.append(f"the reason does not say {because!r}: {row['detail']}")
        if CANARY in row["detail"]:
            faults.append("the reason repeats what it says")
        if row["hidden"] != (self.topic.personal == "clear" and raw.value is not None):
            faults.append("what an adapter sent in clear is kept in clear")
        copies = await self.app.pool.fetch(
            f"SELECT key, headers, value FROM {self.app.name}.outbox WHERE topic = $1 AND published_at IS NULL",
            dead_letters(self.topic, self.app.name),
        )
        if len(copies) != 1:
            faults.append(f"{len(copies)} copies for Kafka's tooling")
        for copy in copies:
            if copy["key"] is None and copy["value"] is None:
                faults.append("its copy has neither key nor value: the client refuses it, and the relay stands still")
            size = DefaultRecordBatchBuilder.estimate_size_in_bytes(copy["key"], copy["value"], decode_headers(copy["headers"]))
            if size > _PRODUCER_TAKES:
                faults.append(f"its copy has {size} bytes: Kafka refuses it, and the relay stands still")
        await self.app.pool.execute(f"UPDATE {self.app.name}.outbox SET published_at = now()")
        return faults

    async def skip_all(self) -> None:
        """An operator tries everything that is parked again, then passes over it: nothing but gaps is left."""
        parking = Parking(self.app.shell)
        await parking.replay(Choice(), lambda _done, _all: None)
        await parking.skip(Choice(), lambda _done, _all: None)
        left = [one for one in await parking.list_open(Choice()) if one.why not in ("gap", "waiting")]
        self.seen.faults += [f"{self.app.name}, {one.topic}: an operator could not pass over {one.detail}" for one in left]


def _content(row: dict[str, Any] | None) -> dict[str, Any]:
    """A request's row without what counts how often it was written."""
    return {name: value for name, value in (row or {}).items() if name not in ("revision", "held")}


def kinds_for(topic: Topic, *, heavy: bool) -> Iterator[Kind]:
    """The kinds that make sense on a topic; with the heavy ones or without."""
    return (kind for kind in KINDS if kind.is_for(topic) and (heavy or not kind.heavy))


async def meet_all(app: App[Any], topic: Topic, *, heavy: bool = True) -> Seen:
    """Give a service every hostile record of a topic."""
    reader = Reader(app, topic)
    await reader.begin()
    for kind in kinds_for(topic, heavy=heavy):
        await reader.meet(kind)
    await reader.meet_again()
    await reader.skip_all()
    return reader.seen
