"""The statistics: invariant 10. Each cell is a recount of the log; what is published lets nobody find a small cell."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import product
from typing import Any

from services.stats.domain.counted import MEASURES, Month
from services.stats.domain.publication import NUMBERS, publish
from services.stats.report import CHANNELS
from services.stats.service import STATS
from shared.organisation import Authority
from tests.proof.evidence import Evidence, History
from tests.proof.states import taken
from tests.stats.recount import recount

SMALL = 11
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


def disclosed_cells(evidence: Evidence, _history: History) -> Iterable[str]:
    """Return each small cell that what is published of a month shows, or lets anybody find by subtraction."""
    months: dict[tuple[str, date], Month] = defaultdict(Month)
    for row in evidence.rows["stats.cell"]:
        if row["measure"] in MEASURES:
            month = months[row["authority"], row["day"].replace(day=1)]
            for counted, code in ((month.services, row["service"]), (month.channels, row["channel"])):
                amounts = counted.amounts.setdefault(row["measure"], {})
                amounts[code] = amounts.get(code, 0) + row["amount"]
    for (code, day), month in months.items():
        services = _public(evidence.authorities.get(code, ()))
        published = publish(month, services=services, channels=CHANNELS)
        for name, table, counted in (
            ("services", published.services, month.services),
            ("channels", published.channels, month.channels),
        ):
            for column in NUMBERS:
                where = f"{code} {day:%Y-%m} {name} {column}"
                shown = {one: line.amounts[column] for one, line in table.lines.items()}
                yield from _small_shown(where, shown, table.total.amounts[column], counted.amounts.get(column, {}))


def misreported_cells(evidence: Evidence, _history: History) -> Iterable[str]:
    """Return each cell that the service of the statistics answers otherwise than the log has it, or should have hidden."""
    true: dict[tuple[str, date, str, str], Counter[str]] = defaultdict(Counter)
    for (code, day, service, channel, _, measure), amount in _recount(evidence)[0].items():
        for name, line in (("services", service), ("channels", channel)):
            true[code, day.replace(day=1), name, measure][line] += amount
    for (code, month), answer in evidence.published.items():
        for name, column in product(("services", "channels"), NUMBERS):
            told = _TOLD.get(column, column)
            shown = {line["code"]: line[told]["amount"] for line in answer[name]}
            where = f"{code} {month:%Y-%m} {name} {column}, says the service,"
            yield from _small_shown(where, shown, answer["total"][told]["amount"], true[code, month, name, column])


def _public(versions: Iterable[Authority]) -> list[str]:
    return [service.code for version in list(versions)[-1:] for service in version.services_public()]


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
