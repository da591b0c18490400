"""The reference of P5: what a careful programmer writes for this one job, without a framework.

The same events in the same batches, the same writes (state and sequences, cells, durations) in sets, amounts added up
before they are sent. No guard per event, no duplicate, no gap, no parked record; only the four kinds of event of the load.
"""

from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from services.stats.store import ADD_DURATION, MOVE_CELL
from shared.delivery.values import Input
from shared.events import handling, requests

_LOAD = "SELECT request_id, revision, state, {seen} FROM stats.request WHERE request_id = ANY($1::uuid[]) ORDER BY 1 FOR UPDATE"
_SEEN = ("seen_requests_v1", "seen_handling_v1", "seen_escalations_v1", "seen_notifications_v1")
_SAVE = """INSERT INTO stats.request AS r (request_id, authority, revision, held, state, {seen})
    SELECT id, authority, revision, false, state, a, b, 0, 0
    FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bytea[], $5::int[], $6::int[]) AS t (id, authority, revision, state, a, b)
    ON CONFLICT (request_id) DO UPDATE SET revision = excluded.revision, state = excluded.state, {updates}"""


class _State(msgspec.Struct):
    revision: int = 0
    requests: int = 0
    handling: int = 0
    channel: str = ""
    day: date | None = None
    first_service: str = ""
    counts: dict[str, str] = {}  # msgspec copies defaults
    minutes: int | None = None

    def amounts(self) -> list[tuple[str, str]]:
        if self.day is None:
            return []
        return [(self.first_service, "received"), *((service, measure) for measure, service in self.counts.items())]


_decode, _encode = msgspec.json.Decoder(_State).decode, msgspec.json.encode


def _take(state: _State, event: Any) -> None:
    match event:
        case requests.RequestReceived():
            state.requests += 1
            state.channel, state.day = event.channel, event.received_on
        case handling.RequestAssigned():
            state.first_service = event.service or ""
        case handling.TakenInCharge():
            state.counts["taken_in_charge"] = event.service or ""
            state.minutes = -(-event.elapsed_working_seconds // 60)
            if event.at <= event.due_at:
                state.counts["within_promise"] = event.service or ""
    if isinstance(event, handling.LifeEvent):
        state.handling += 1


async def take_bare(pool: asyncpg.Pool, batches: list[list[Input]]) -> None:
    """Take the batches, each in a transaction."""
    save = _SAVE.format(seen=", ".join(_SEEN), updates=", ".join(f"{name} = excluded.{name}" for name in _SEEN))
    for batch in batches:
        async with pool.acquire() as connection, connection.transaction():
            ids = list({one.request_id for one in batch})
            rows = await connection.fetch(_LOAD.format(seen=", ".join(_SEEN)), ids)
            states: dict[UUID, _State] = {row[0]: _decode(row[2]) for row in rows}
            cells, durations = _fold(batch, states)
            told = list(states.values())
            await connection.execute(
                save,
                list(states),
                ["rivemont"] * len(told),
                [one.revision for one in told],
                [_encode(one) for one in told],
                [one.requests for one in told],
                [one.handling for one in told],
            )
            moved = [(*key, cells[key]) for key in sorted(cells) if cells[key]]
            if moved:
                await connection.execute(MOVE_CELL.sql, *map(list, zip(*moved, strict=True)))
            if durations:
                lasted = [(*key, durations[key]) for key in sorted(durations)]
                await connection.execute(ADD_DURATION.sql, *map(list, zip(*lasted, strict=True)))


def _fold(batch: list[Input], states: dict[UUID, _State]) -> tuple[Counter[Any], Counter[Any]]:
    cells: Counter[Any] = Counter()
    durations: Counter[Any] = Counter()
    for one in batch:
        state = states.get(one.request_id)
        if state is None:
            state = states[one.request_id] = _State()
        day, before = state.day, state.amounts()
        measured = state.minutes is not None and day is not None
        _take(state, one.event)
        after = state.amounts()
        if after != before:
            for service, measure in before:
                cells["rivemont", state.day, service, state.channel, "", measure] -= 1
            for service, measure in after:
                cells["rivemont", state.day, service, state.channel, "", measure] += 1
        if not measured and state.minutes is not None and state.day is not None:
            service = state.counts["taken_in_charge"]
            durations["rivemont", state.day, service, state.channel, "taken_in_charge", state.minutes] += 1
    for state in states.values():
        state.revision += 1
    return cells, durations
