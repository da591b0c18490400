"""The statistics: invariant 10. Each cell is a recount of the log; what is published is what disclosure control leaves of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple, TypeAlias

from services.stats.domain.counted import Month
from services.stats.domain.publication import publish
from services.stats.service import STATS
from shared.organisation import Authority
from tests.judge.disclosure import CHANNELS, COLUMNS, SMALL, hidden_of
from tests.judge.evidence import Evidence, History
from tests.judge.states import taken
from tests.stats.recount import recount

Counts: TypeAlias = Mapping[str, Mapping[str, int]]
"""By column, and by service or channel."""
_TOLD = {"escalated_1": "escalated"}
"""How the API calls a column, where it is another word."""
_CELL = ("authority", "day", "service", "channel", "category", "measure")
_DURATION = ("authority", "day", "service", "channel", "measure", "minutes")


def miscounted_cells(evidence: Evidence, _history: History) -> Iterable[str]:
    """Return each cell that is not what the log has, and each that nothing accounts for."""
    cells, durations = _recount(evidence)
    yield from _differences("cell", cells, _table(evidence, "stats.cell", _CELL))
    yield from _differences("duration", durations, _table(evidence, "stats.duration", _DURATION))


def _recount(evidence: Evidence) -> tuple[Counter[tuple[Any, ...]], Counter[tuple[Any, ...]]]:
    """Count the log anew, by the columns of `stats.cell` and of `stats.duration`."""
    logs = []
    for _, (asked, told, raised, mails) in taken(evidence, STATS):
        if asked and asked[0].name == "received":
            logs.append([[one.event for one in topic] for topic in (asked, told, raised, mails)])
    return recount(logs)


def _table(evidence: Evidence, name: str, columns: tuple[str, ...]) -> Counter[tuple[Any, ...]]:
    return Counter({tuple(row[column] for column in columns): row["amount"] for row in evidence.rows[name]})


def _differences(what: str, expected: Mapping[Any, int], found: Mapping[Any, int]) -> Iterable[str]:
    for key in expected.keys() | found.keys():
        if expected.get(key) != found.get(key):
            yield f"10 {what}: {key} is {found.get(key)}, the log has {expected.get(key)}"


class Shown(NamedTuple):
    """A table of what is published: each column by line, and its total. None: hidden."""

    lines: Mapping[str, Mapping[str, int | None]]
    totals: Mapping[str, int | None]


def disclosed_cells(evidence: Evidence, _history: History) -> Iterable[str]:
    """Return each number of a month that is published and may not be, or the reverse, by the rows as they are."""
    months: dict[tuple[str, date], Month] = defaultdict(Month)
    for row in evidence.rows["stats.cell"]:
        if row["measure"] in COLUMNS:
            month = months[row["authority"], row["day"].replace(day=1)]
            for counted, code in ((month.services, row["service"]), (month.channels, row["channel"])):
                amounts = counted.amounts.setdefault(row["measure"], {})
                amounts[code] = amounts.get(code, 0) + row["amount"]
    for (code, day), month in months.items():
        published = publish(month, services=_public(evidence.authorities.get(code, ())), channels=CHANNELS)
        tables = {
            name: Shown(
                {column: {one: line.amounts[column] for one, line in table.lines.items()} for column in COLUMNS},
                table.total.amounts,
            )
            for name, table in (("services", published.services), ("channels", published.channels))
        }
        true = {"services": month.services.amounts, "channels": month.channels.amounts}
        yield from _misjudged(f"{code} {day:%Y-%m}", tables, true)


def misreported_cells(evidence: Evidence, _history: History) -> Iterable[str]:
    """Return each cell that the service of the statistics answers otherwise than the log has it, hides, or should have hidden."""
    true: dict[tuple[str, date], dict[str, dict[str, Counter[str]]]] = defaultdict(
        lambda: {"services": defaultdict(Counter), "channels": defaultdict(Counter)}
    )
    for (code, day, service, channel, _, measure), amount in _recount(evidence)[0].items():
        if measure in COLUMNS:
            for name, line in (("services", service), ("channels", channel)):
                true[code, day.replace(day=1)][name][measure][line] += amount
    for (code, month), answer in evidence.published.items():
        tables = {name: _answered(answer[name], answer["total"]) for name in ("services", "channels")}
        yield from _misjudged(f"{code} {month:%Y-%m}", tables, true[code, month], " says the service,")


def _answered(lines: Iterable[Any], total: Any) -> Shown:  # Any: JSON
    told = {column: _TOLD.get(column, column) for column in COLUMNS}
    return Shown(
        {column: {line["code"]: line[told[column]]["amount"] for line in lines} for column in COLUMNS},
        {column: total[told[column]]["amount"] for column in COLUMNS},
    )


def _public(versions: Iterable[Authority]) -> list[str]:
    return [service.code for version in list(versions)[-1:] for service in version.services_public()]


def _misjudged(month: str, tables: Mapping[str, Shown], true: Mapping[str, Counts], who: str = "") -> Iterable[str]:
    """Hold what is shown of a month against what there is, and against what has to be hidden of it.

    Of a channel by which nothing came there may be no line.
    """
    cells: dict[str, dict[str, dict[str, int]]] = {}
    for name, before in (("services", ()), ("channels", CHANNELS)):
        codes = dict.fromkeys([*before, *tables[name].lines["received"]])
        cells[name] = {column: {code: true[name].get(column, {}).get(code, 0) for code in codes} for column in COLUMNS}
    hidden = hidden_of(cells["services"], cells["channels"])
    for place, (name, table) in enumerate(tables.items()):
        for column in COLUMNS:
            where = f"{month} {name} {column},{who}"
            shown, total, amounts = table.lines[column], table.totals[column], true[name].get(column, {})
            missing = [code for code, amount in amounts.items() if amount and code not in shown]
            yield from (f"10 hidden: {where} has no line of {code}" for code in missing)
            yield from _small_shown(where, shown, total, amounts)
            gone = hidden[column]
            if gone is None:
                if total is not None:
                    yield f"10 disclosed: {where} shows the total, {total}, beside which a small number could be found"
                continue
            if total is None:
                yield f"10 hidden: {where} does not show the total, {sum(amounts.values())}"
            for code, amount in shown.items():
                if amount is None and code not in gone[place]:
                    yield f"10 hidden: {where} hides {code}, {amounts.get(code, 0)}"
                if amount is not None and code in gone[place]:
                    yield f"10 disclosed: {where} shows {amount} for {code}, beside which a small number could be found"


def _small_shown(where: str, shown: Mapping[str, int | None], total: int | None, true: Mapping[str, int]) -> Iterable[str]:
    hidden = [code for code, amount in shown.items() if amount is None]
    for code, amount in shown.items():
        if amount is not None and amount != true.get(code, 0):
            yield f"10 published: {where} shows {amount} for {code}, there are {true.get(code, 0)}"
        if amount is not None and 0 < amount < SMALL:
            yield f"10 disclosed: {where} shows {amount} for {code}"
    if total is None:
        return
    rest = sum(true.get(code, 0) for code in hidden)
    if total != sum(true.values()):
        yield f"10 published: {where} shows {total} in all, there are {sum(true.values())}"
    if hidden and (len(hidden) == 1 or rest < SMALL):
        yield f"10 disclosed: {where} hides {hidden}, of which a subtraction says that they are {rest}"
