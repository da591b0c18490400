"""What may be shown of one month, and what several months give together.

The published tables are few and fixed: one month at a time, by service and by channel, never crossed, never by day. Longer
periods only add up what was published for their months; so asking for other periods teaches nothing new.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from services.stats.domain.counted import JUDGED, Counted, Month
from services.stats.domain.disclosure import hide
from services.stats.domain.facts import NOBODY

RECEIVED, TAKEN = "received", "taken_in_charge"
NUMBERS: Final = (RECEIVED, TAKEN, "escalated_1", "transferred")
"""The columns of numbers, each protected by itself; the first bounds the others. Delays follow the taken."""
COLUMNS: Final = (*NUMBERS, JUDGED)
"""And what the shares are of. It is never shown, and protected as if it were: a share of few tells nearly how many they are."""
_Hidden: TypeAlias = tuple[frozenset[str], frozenset[str]] | None
"""What is hidden of a column in each table; None when it is hidden as a whole, the total being in both tables."""


@dataclass
class Line:
    """A line of a published table: amounts[column] is None where it is hidden.

    `minutes` only where the taken are shown, `within` only where the judged may be too.
    """

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
    hidden: dict[str, _Hidden] = {}
    for column in COLUMNS:
        hidden[column] = _hidden(column, tables, hidden)
    return Published(*(_table(counted, codes, place, hidden) for place, (counted, codes) in enumerate(tables)))


def _ordered(counted: Counted, codes: Sequence[str]) -> tuple[Counted, list[str]]:
    """Add the codes that were counted and that the configuration no longer has; nobody's come last."""
    found = {code for amounts in counted.amounts.values() for code in amounts} - {NOBODY}
    nobody = [NOBODY] if any(NOBODY in amounts for amounts in counted.amounts.values()) else []
    return counted, [*codes, *sorted(found - set(codes)), *nobody]


def _hidden(column: str, tables: tuple[tuple[Counted, list[str]], ...], known: dict[str, _Hidden]) -> _Hidden:
    """Return what is hidden of a column, given what is hidden of those before it."""
    received = known.get(RECEIVED)
    before = known[TAKEN] if column == JUDGED else received
    if before is None and column != RECEIVED:
        return None
    hidden: list[frozenset[str]] = []
    for place, (counted, codes) in enumerate(tables):
        gone = before[place] if before else frozenset()
        taken = counted.cells(TAKEN, codes)
        one = hide(
            counted.cells(column, codes),
            order=codes[::-1],
            hidden_before=gone,
            fewest={code: amount for code, amount in taken.items() if code not in gone} if column == JUDGED else None,
            # A service may take in charge what another one had received.
            most=_most(counted, codes, received[place]) if received and place == 1 else None,
        )
        if one is None:
            return None
        hidden.append(one)
    return hidden[0], hidden[1]


def _most(counted: Counted, codes: Iterable[str], gone: frozenset[str]) -> dict[str, int]:
    """Return what a reader of the received knows that no other column exceeds: the number, or all that is hidden together."""
    amounts = counted.cells(RECEIVED, codes)
    rest = sum(amounts[code] for code in gone)
    return {code: rest if code in gone else amount for code, amount in amounts.items()}


def _table(counted: Counted, codes: list[str], place: int, hidden: dict[str, _Hidden]) -> Table:
    lines = {code: Line({}) for code in codes}
    total = Line({})
    for column in COLUMNS:
        cells, gone = counted.cells(column, codes), hidden[column]
        total.amounts[column] = None if gone is None else sum(cells.values())
        for code, line in lines.items():
            line.amounts[column] = None if gone is None or code in gone[place] else cells[code]
    within = counted.cells("within_promise", codes)
    for code, line in lines.items():
        line.within = within[code] if line.amounts[JUDGED] else 0
        line.minutes = dict(counted.minutes.get(code, {})) if line.amounts[TAKEN] else {}
    total.within = sum(within.values()) if total.amounts[JUDGED] else 0
    total.minutes = _merged(counted.minutes.values()) if total.amounts[TAKEN] else {}
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
    """One line over a period. The delays are of the requests whose number is shown.

    `within_percent` is rounded down; None: there is nothing to judge, or (`within_hidden`) it may not be shown.
    """

    received: Figure
    taken_in_charge: Figure
    escalated: Figure
    transferred: Figure
    within_percent: int | None
    within_hidden: bool
    median_minutes: int | None
    ninth_decile_minutes: int | None


def add_up(lines: Sequence[Line]) -> Summary:
    """Add the published lines of some months: of a service, a channel, or the totals."""
    judged = [line.amounts[JUDGED] for line in lines]
    shown = sum(amount or 0 for amount in judged)
    minutes = _merged(line.minutes for line in lines)
    received, taken_in_charge, escalated, transferred = (_figure([line.amounts[column] for line in lines]) for column in NUMBERS)
    return Summary(
        received=received,
        taken_in_charge=taken_in_charge,
        escalated=escalated,
        transferred=transferred,
        within_percent=sum(line.within for line in lines) * 100 // shown if shown else None,
        within_hidden=not shown and None in judged,
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
