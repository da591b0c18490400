"""What a town leaves behind, in the form that the checker of all proofs reads."""

from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import msgspec

from shared.delivery.values import Input
from shared.events.envelope import Undecodable, decode
from shared.events.inbound import CommandIssued
from tests.judge.evidence import Asked, Evidence, Record
from tests.simulation.installations import changed, shipped

if TYPE_CHECKING:
    from shared.delivery.values import RawRecord
    from tests.simulation.world import World

OPEN_TOPICS = ("intake.inbound.v1", "commands.v1")


def gather(world: "World") -> Evidence:
    """Return the log, the tables and the mails of a town."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, group in world.groups.items():
        tables = group.tables
        rows[f"{name}.request"] = tables.request_rows()
        rows[f"{name}.outbox"] = tables.outbox_rows()
        rows[f"{name}.parked"] = list(tables.parked.rows.values())
        rows[f"{name}.position"] = [
            {"topic": topic, "partition": number, "next_offset": at} for (topic, number), at in tables.positions.items()
        ]
        rows[f"{name}.inbox"] = [{"source": source, "id": one} for source, one in tables.inbox]
        rows[f"{name}.halt"] = [{"instance": instance, "why": why} for instance, why in tables.halted.items()]
    own = world.rows
    rows["intake.tracking"] = _named(
        own.tracking.values(), "request_id authority reference token_digest status received_at closed_at"
    )
    columns = "request_id authority reference service status reason version due_at changed_at"
    rows["router.assignment"] = _named(own.assignment.values(), columns)
    rows["sla.deadline"] = [
        {"request_id": key[0], "promise": key[1], "what": row.what, "due_at": row.due_at} for key, row in own.deadline.items()
    ]
    rows["notifier.letter"] = [{"request_id": key[0], "name": key[1]} for key in own.letter]
    columns = "authority day service channel category measure amount"
    rows["stats.cell"] = _named(((*key, amount) for key, amount in own.cell.items()), columns)
    columns = "authority day service channel measure minutes amount"
    rows["stats.duration"] = _named(((*key, amount) for key, amount in own.duration.items()), columns)
    rows["vault.request_key"] = [{"request_id": one} for one in own.keys]
    evidence = Evidence([], rows, list(world.mail.mails), logged=world.told)
    for raw in world.log.all():
        match _read(world, raw):
            case Record() as record:
                evidence.log.append(record)
            case Asked() as asked:
                evidence.asked.append(asked)
            case None:
                pass
    for raw in world.log.lost:
        if raw.topic in OPEN_TOPICS and isinstance(before := _read(world, raw), Asked):
            evidence.asked_before.append(before)
    evidence.ends = {place: world.log.end(place) for place in world.log.places if world.log.end(place)}
    # each reload is to the other of the two
    versions = list(islice(cycle((shipped(), changed())), 1 + len(world.history.reloads)))
    evidence.authorities = {code: [one.authorities[code] for one in versions] for code in shipped().authorities}
    return evidence


def _named(rows: Any, columns: str) -> list[dict[str, Any]]:
    names = columns.split()
    return [dict(zip(names, row, strict=True)) for row in rows]


def _read(world: "World", raw: "RawRecord") -> Record | Asked | None:
    """Return a record as its readers take it; None when it is no event for them."""
    known = world.decoded.get(id(raw))
    if known is not None and known[0] is raw:
        one = known[1]
        if not isinstance(one, Input) or one.fault is not None or one.sequence is None:
            return None
        return _record(raw, one.event, one.sequence)
    try:
        received = decode(raw.topic, dict(raw.headers), raw.value)
    except Undecodable:
        return None
    if raw.topic in OPEN_TOPICS:
        command = received.event if isinstance(received.event, CommandIssued) else None
        return Asked(raw.topic, raw.partition, raw.offset, received.source, received.id, command)
    assert received.sequence is not None, "numbered topics have sequences"
    return _record(raw, received.event, received.sequence)


def _record(raw: "RawRecord", event: Any, sequence: int) -> Record:
    assert raw.value is not None, "an event has a value"
    return Record(raw.topic, event.request_id, sequence, event.type_, msgspec.json.decode(raw.value), raw.value, event)
