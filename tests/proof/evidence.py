"""What the checker looks at: what the clients were told, the whole log, the tables that matter, the mails of the sink."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events.topics import SERVICES, TOPICS

Outcome = Literal["done", "refused", "unknown"]


@dataclass(frozen=True)
class Act:
    """What somebody did on a page, once, however often they clicked; `outcome` is what the page told them at the end."""

    request_id: UUID
    what: Literal["take_charge", "answer", "transfer", "resolve", "add", "withdraw"]
    outcome: Outcome
    told: str = ""
    """What the page said where it was not done: for whoever reads a violation."""


@dataclass
class History:
    """What the clients know: requests answered 2xx by id; how many outcomes are unknown; what people did on pages."""

    accepted: set[UUID] = field(default_factory=set)
    unknown: int = 0
    forged: set[UUID] = field(default_factory=set)
    """Requests that the test wrote into the log itself: intake never took them."""
    acts: list[Act] | None = None
    """All that anybody did to these requests; None: others act too, and acts are not counted."""
    mail_losses: int = 0
    """How often the notifier may have died, or lost its server, between a mail and the note that it is sent."""
    quiet_at: datetime | None = None
    """An instant of the town's clock at which every service had seen all that was told."""
    checked_at: datetime | None = None
    """The instant of the town's clock up to which all that is due must have been done."""


@dataclass(frozen=True)
class Record:
    """An event of the log."""

    topic: str
    request_id: UUID
    sequence: int
    type: str
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """The last words of its type: "taken_in_charge", "raised"..."""
        return self.type.removeprefix("fr.aiguilleur.").split(".")[1]

    def instant(self, name: str = "at") -> datetime:
        """Return a field that is an instant."""
        return datetime.fromisoformat(self.data[name])


@dataclass
class Evidence:
    """All that is looked at."""

    log: list[Record]
    rows: dict[str, list[asyncpg.Record]]
    message_ids: Counter[str]

    def told(self, topic: str, *, without: set[UUID]) -> dict[UUID, list[Record]]:
        """Return what a topic says of each request, in order, each event once."""
        once = {(one.request_id, one.sequence): one for one in self.log if one.topic == topic and one.request_id not in without}
        by_request: dict[UUID, list[Record]] = {}
        for (request_id, _), one in sorted(once.items()):
            by_request.setdefault(request_id, []).append(one)
        return by_request


async def gather(kafka: str, admin_dsn: str, mails: Iterable[Mapping[str, Any]]) -> Evidence:
    """Read the whole log, the tables that matter, and the Message-IDs of the sink."""
    database = await asyncpg.connect(admin_dsn)
    try:
        rows = {"assignment": await database.fetch("SELECT * FROM router.assignment")}
        for service in SERVICES:
            rows[f"{service}.request"] = await database.fetch(f"SELECT * FROM {service}.request")
            rows[f"{service}.outbox"] = await database.fetch(f"SELECT * FROM {service}.outbox ORDER BY id")
            rows[f"{service}.parked"] = await database.fetch(f"SELECT * FROM {service}.parked WHERE resolved_at IS NULL")
        rows["cell"] = await database.fetch("SELECT * FROM stats.cell")
    finally:
        await database.close()
    return Evidence(await _read_log(kafka), rows, Counter(mail["message_id"] for mail in mails))


async def _read_log(kafka: str) -> list[Record]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest")
    places = [TopicPartition(topic.name, number) for topic in TOPICS if topic.sequenced for number in range(topic.partitions)]
    await consumer.start()
    records: list[Record] = []
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        for place in places:  # not seek_to_beginning right after assign: it can give nothing, silently
            consumer.seek(place, 0)
        left = {place for place in places if ends[place] > 0}
        while left:
            for place, batch in (await consumer.getmany(timeout_ms=500, max_records=5000)).items():
                records += [one for one in map(_decoded, batch) if one is not None]
                if batch[-1].offset + 1 >= ends[place]:
                    left.discard(place)
    finally:
        await consumer.stop()
    return records


def _decoded(raw: Any) -> Record | None:
    headers = {name: value.decode(errors="replace") for name, value in raw.headers}
    try:
        data = msgspec.json.decode(raw.value)
        return Record(raw.topic, UUID(data["request_id"]), int(headers["ce_sequence"]), headers["ce_type"], data)
    except (KeyError, ValueError, TypeError, msgspec.DecodeError):
        return None  # garbage that the test itself wrote
