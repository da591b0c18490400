"""What may be shown of one month, and what several months give together.

The published tables are few and fixed: one month at a time, by service and by channel, never crossed, never by day. Longer
periods only add up what was published for their months; so asking for other periods teaches nothing new.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.stats.domain.counted import Counted, Month
from services.stats.domain.disclosure import hide
from services.stats.domain.facts import NOBODY

COLUMNS: Final = ("received", "taken_in_charge", "escalated_1", "transferred")
"""The columns of numbers, each protected by itself; the first bounds the others. Shares and delays follow "taken_in_charge"."""


@dataclass
class Line:
    """A line of a published table: amounts[column] is None where it is hidden. `minutes` only where the taken are shown."""

    amounts: dict[str, int | None]
    within: int = 0
    minutes: dict[int, int] = field(default_factory=dict)


@dataclass
class Table:
    """A published table of one month."""

    lines: dict[str, Line]
    total: Line


@dataclass
class Published:
    """What one month shows."""

    services: Table
    channels: Table


def publish(month: Month, *, services: Sequence[str], channels: Sequence[str]) -> Published:
    """Return what may be shown of a month. `services` and `channels`: their codes in public order, the last hidden first."""
    tables = (_ordered(month.services, services), _ordered(month.channels, channels))
    shown: dict[str, tuple[frozenset[str], frozenset[str]] | None] = {}
    for column in COLUMNS:
        shown[column] = _hidden(column, tables, shown.get(COLUMNS[0])) if column == COLUMNS[0] or shown[COLUMNS[0]] else None
    return Published(*(_table(counted, codes, place, shown) for place, (counted, codes) in enumerate(tables)))


def _ordered(counted: Counted, codes: Sequence[str]) -> tuple[Counted, list[str]]:
    """Add the codes that were counted and that the configuration no longer has; nobody's come last."""
    found = {code for amounts in counted.amounts.values() for code in amounts} - {NOBODY}
    nobody = [NOBODY] if any(NOBODY in amounts for amounts in counted.amounts.values()) else []
    return counted, [*codes, *sorted(found - set(codes)), *nobody]


def _hidden(
    column: str, tables: tuple[tuple[Counted, list[str]], ...], before: tuple[frozenset[str], frozenset[str]] | None
) -> tuple[frozenset[str], frozenset[str]] | None:
    """Return what is hidden in each table; None when the column is hidden as a whole, the total being in both tables."""
    hidden: list[frozenset[str]] = []
    for place, (counted, codes) in enumerate(tables):
        cells = _cells(counted, column, codes)
        bounds = _cells(counted, COLUMNS[0], codes)
        gone = before[place] if before else frozenset()
        rest = sum(bounds[code] for code in gone)
        by_channel = place == 1 and before is not None  # a service may take in charge what another one had received
        most = {code: rest if code in gone else amount for code, amount in bounds.items()} if by_channel else None
        one = hide(cells, order=codes[::-1], hidden_before=gone, most=most)
        if one is None:
            return None
        hidden.append(one)
    return hidden[0], hidden[1]


def _cells(counted: Counted, column: str, codes: Iterable[str]) -> dict[str, int]:
    amounts = counted.amounts.get(column, {})
    return {code: amounts.get(code, 0) for code in codes}


def _table(
    counted: Counted, codes: list[str], place: int, shown: dict[str, tuple[frozenset[str], frozenset[str]] | None]
) -> Table:
    lines = {code: Line({}) for code in codes}
    total = Line({})
    for column in COLUMNS:
        cells, hidden = _cells(counted, column, codes), shown[column]
        total.amounts[column] = None if hidden is None else sum(cells.values())
        for code, line in lines.items():
            line.amounts[column] = None if hidden is None or code in hidden[place] else cells[code]
    within = _cells(counted, "within_promise", codes)
    for code, line in lines.items():
        if line.amounts["taken_in_charge"]:
            line.within, line.minutes = within[code], dict(counted.minutes.get(code, {}))
    if total.amounts["taken_in_charge"]:
        total.within, total.minutes = sum(within.values()), _merged(counted.minutes.values())
    return Table(lines, total)


def _merged(histograms: Iterable[dict[int, int]]) -> dict[int, int]:
    merged: dict[int, int] = {}
    for histogram in histograms:
        for minutes, amount in histogram.items():
            merged[minutes] = merged.get(minutes, 0) + amount
    return merged


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it may be shown. `amount` None: hidden. `at_least`: part of it is hidden, it is not less than that."""

    amount: int | None
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """One line over a period. `within_percent` is rounded down; it and the delays are of the requests whose number is shown."""

    received: Figure
    taken_in_charge: Figure
    escalated: Figure
    transferred: Figure
    within_percent: int | None
    median_minutes: int | None
    ninth_decile_minutes: int | None


def add_up(lines: Sequence[Line]) -> Summary:
    """Add the published lines of some months: of a service, a channel, or the totals."""
    taken = sum(line.amounts["taken_in_charge"] or 0 for line in lines)
    minutes = _merged(line.minutes for line in lines)
    received, taken_in_charge, escalated, transferred = (_figure([line.amounts[column] for line in lines]) for column in COLUMNS)
    return Summary(
        received=received,
        taken_in_charge=taken_in_charge,
        escalated=escalated,
        transferred=transferred,
        within_percent=sum(line.within for line in lines) * 100 // taken if taken else None,
        median_minutes=percentile(minutes, 50),
        ninth_decile_minutes=percentile(minutes, 90),
    )


def _figure(amounts: Sequence[int | None]) -> Figure:
    shown = sum(amount or 0 for amount in amounts)
    partly = None in amounts
    return Figure(None) if partly and not shown else Figure(shown, at_least=partly)


def percentile(histogram: dict[int, int], percent: int) -> int | None:
    """Return the value that at least `percent` per cent of the observations do not exceed (nearest rank); None for none."""
    rank = -(-sum(histogram.values()) * percent // 100)
    for value in sorted(histogram):
        rank -= histogram[value]
        if rank <= 0:
            return value
    return None
