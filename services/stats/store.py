"""All SQL of the statistics besides the shell's: aggregates, moved by the difference that each batch makes."""

from collections.abc import Iterable
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from services.stats.domain.counted import MEASURES, Counted, Month
from services.stats.domain.facts import Facts
from shared.delivery.service import Row, Statement

Rows: TypeAlias = list[tuple[Any, ...]]


def _added_up(rows: Rows) -> Rows:
    """Add up what a batch moves in each cell. In the order of the key: so two replicas never wait for each other in a circle."""
    amounts: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = row[:-1]
        amounts[key] = amounts.get(key, 0) + row[-1]
    return [(*key, amounts[key]) for key in sorted(amounts) if amounts[key]]


MOVE_CELL = Statement(
    "move_cell",
    """INSERT INTO stats.cell AS c (authority, day, service, channel, category, measure, amount)
       SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[])
       ON CONFLICT (authority, day, service, channel, category, measure) DO UPDATE SET amount = c.amount + excluded.amount""",
    combine=_added_up,
)
DROP_EMPTY_CELL = Statement(
    "drop_empty_cell",
    """DELETE FROM stats.cell AS c
       USING unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::text[], $6::text[])
             AS t (authority, day, service, channel, category, measure)
       WHERE (c.authority, c.day, c.service, c.channel, c.category, c.measure)
             = (t.authority, t.day, t.service, t.channel, t.category, t.measure) AND c.amount = 0""",
    combine=lambda rows: sorted(set(rows)),
    last=True,
)
"""After MOVE_CELL, which has locked these cells: so no empty cell is ever committed, and a rebuild gives the same rows."""
ADD_DURATION = Statement(
    "add_duration",
    """INSERT INTO stats.duration AS d (authority, day, service, channel, measure, minutes, amount)
       SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[])
       ON CONFLICT (authority, day, service, channel, measure, minutes) DO UPDATE SET amount = d.amount + excluded.amount""",
    combine=_added_up,
)
_AMOUNTS = """SELECT date_trunc('month', day)::date, {key}, measure, sum(amount)::bigint FROM stats.cell
    WHERE authority = $1 AND day BETWEEN $2 AND $3 AND measure = ANY($4::text[]) GROUP BY 1, 2, 3"""
_MINUTES = """SELECT date_trunc('month', day)::date, {key}, minutes, sum(amount)::bigint FROM stats.duration
    WHERE authority = $1 AND day BETWEEN $2 AND $3 AND measure = 'taken_in_charge' GROUP BY 1, 2, 3"""

_FIRST_DAY = "SELECT min(day) FROM stats.cell WHERE authority = $1 AND measure = 'received'"


def amounts_of(facts: Facts | None) -> dict[tuple[str, str], int]:
    """Return what a request adds to the cells: (service, measure) -> how many. Nothing until its receipt is known."""
    if facts is None or facts.received_on is None:
        return {}
    amounts: dict[tuple[str, str], int] = {}
    for name, amount in facts.counts.items():
        measure, _, service = name.partition(" ")
        amounts[service, measure] = amount
    amounts[facts.first_service, "received"] = 1
    if facts.overdue:
        amounts[facts.owner, "overdue"] = 1
    return amounts


def project(_request_id: UUID, before: Facts | None, after: Facts | None) -> Iterable[Row]:
    """Return what a request adds to the aggregates now, less what it added before."""
    if after is None or after.received_on is None:
        return
    old, new = amounts_of(before), amounts_of(after)
    place = (after.authority, after.received_on)
    kind = (after.channel, after.category)
    for key, amount in new.items():
        if delta := amount - old.get(key, 0):
            yield MOVE_CELL, (*place, key[0], *kind, key[1], delta)
    for key in old.keys() - new.keys():  # never a count: a receipt that got its service, an overdue one that was taken
        yield MOVE_CELL, (*place, key[0], *kind, key[1], -old[key])
        yield DROP_EMPTY_CELL, (*place, key[0], *kind, key[1])
    known = before.spans if before is not None and before.received_on is not None else {}
    for measure, span in after.spans.items():
        if measure not in known:
            yield ADD_DURATION, (*place, span.service, after.channel, measure, span.minutes, 1)


class StatisticsStore:
    """Reads the aggregates."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find_months(self, authority: str, first: date, last: date) -> dict[date, Month]:
        """Return what was counted of the requests received from `first` to `last`, by month (its first day)."""
        months: dict[date, Month] = {}
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            for key in ("service", "channel"):
                for month, code, measure, amount in await connection.fetch(
                    _AMOUNTS.format(key=key), authority, first, last, list(MEASURES)
                ):
                    _counted(months, month, key).amounts.setdefault(measure, {})[code] = amount
                for month, code, minutes, amount in await connection.fetch(_MINUTES.format(key=key), authority, first, last):
                    _counted(months, month, key).minutes.setdefault(code, {})[minutes] = amount
        return months

    async def find_first_day(self, authority: str) -> date | None:
        """Return the day of the first request that was counted; None when there is none."""
        async with self._pool.acquire() as connection:
            found: date | None = await connection.fetchval(_FIRST_DAY, authority)
            return found


def _counted(months: dict[date, Month], month: date, key: str) -> Counted:
    found = months.setdefault(month, Month())
    return found.services if key == "service" else found.channels
