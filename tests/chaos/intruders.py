"""R0, R5: records that nobody should write, and how soon the rest goes on, or somebody notices."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID

from tests.chaos.forgery import Forged, out_of_order, poison, publish
from tests.chaos.town import READERS
from tests.chaos.trial import GIVE_UP_SECONDS, Trial

_LOOK_SECONDS: Final = 0.02
_ASSIGNED: Final = """SELECT extract(epoch FROM min(told.created_at) - min(came.created_at))::float8
    FROM intake.outbox AS came LEFT JOIN router.outbox AS told USING (request_id)
    WHERE request_id = ANY($1::uuid[]) GROUP BY request_id"""
_GAP: Final = "SELECT 1 FROM {service}.parked WHERE request_id = $1 AND why = 'gap' AND resolved_at IS NULL"
Ask = Callable[..., Awaitable[Any]]
"""`fetchval` of a connection or a pool. Any: what PostgreSQL says."""


async def poisoned(trial: Trial) -> None:
    """R5: the neighbours of poison are assigned as fast as others: all that were accepted until a second ago."""
    spoilt, history = poison(), trial.scene.history
    history.forged |= spoilt.about
    before = set(history.accepted)
    spread: list[Forged] = [(bytes([number]) * 8, b"{", []) for number in range(48)]  # over all partitions
    await publish(trial.scene.kafka.bootstrap, "requests.v1", [*spread[:20], *spoilt.records, *spread[20:]])
    await asyncio.sleep(2.0)
    neighbours = list(history.accepted - before)
    await asyncio.sleep(1.0)
    rows = await trial.database.fetch(_ASSIGNED, neighbours)
    slowest = slowest_seconds([row[0] for row in rows], count=len(neighbours))
    trial.told("R5", f"seconds from accepted to assigned beside {len(spread) + len(spoilt.records)} poisoned records", slowest, 1)


def slowest_seconds(took: Sequence[float | None], *, count: int) -> float:
    """Return the longest of `count` waits; one that is not over (None), or of which nothing is known, counts as given up."""
    known = [one for one in took if one is not None]
    return max(known) if 0 < count == len(known) else GIVE_UP_SECONDS


async def out_of_turn(trial: Trial) -> None:
    """R0: an event whose predecessor is missing is put aside as a gap by each who reads it. What it waits for comes after."""
    forged, kafka = out_of_order(), trial.scene.kafka.bootstrap
    trial.scene.history.forged.add(forged.request_id)
    began = time.monotonic()  # connecting included
    await publish(kafka, "requests.v1", [forged.early])
    took = await seconds_until_parked(trial.database.fetchval, forged.request_id, since=began, give_up_seconds=GIVE_UP_SECONDS)
    trial.told(
        "R0",
        "seconds until an event that came too early is seen as a gap, the slowest reader",
        max(took.values()),
        1,
        {service: [seconds] for service, seconds in took.items()},
    )
    await publish(kafka, "requests.v1", [forged.late])


async def seconds_until_parked(ask: Ask, request_id: UUID, *, since: float, give_up_seconds: float) -> dict[str, float]:
    """Return how long after `since` each reader had put an event of this request aside as a gap; one that did not: given up."""
    took: dict[str, float] = {}
    while len(took) < len(READERS) and time.monotonic() - since < give_up_seconds:
        for service in READERS:
            if service not in took and await ask(_GAP.format(service=service), request_id):
                took[service] = time.monotonic() - since
        await asyncio.sleep(_LOOK_SECONDS)
    return {service: took.get(service, give_up_seconds) for service in READERS}
