"""Legal public holidays in France, by zone.

Source: Code du travail, L3133-1 (the eleven of everywhere), L3134-13 (Bas-Rhin, Haut-Rhin, Moselle), L3422-2 and
decree 83-1003 (the day of the abolition of slavery overseas). General-purpose holiday packages mix these with local
customs, so the list is ours; the tests compare it with one of them.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType
from typing import Final

_LocalHolidays = Callable[[int], dict[date, str]]


def _easter_sunday(year: int) -> date:
    """Gregorian Easter (the "anonymous" algorithm: Meeus, Astronomical Algorithms, ch. 8)."""
    golden = year % 19
    century, year_of_century = divmod(year, 100)
    leap_centuries, century_rest = divmod(century, 4)
    moon_shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - moon_shift + 15) % 30
    leaps, leap_rest = divmod(year_of_century, 4)
    weekday = (32 + 2 * century_rest + 2 * leaps - epact - leap_rest) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _everywhere(year: int) -> dict[date, str]:
    easter = _easter_sunday(year)
    # In 2008 Ascension fell on 1 May: the older name stays, one day is one day.
    return {
        easter + timedelta(days=39): "Ascension",
        date(year, 1, 1): "jour de l'An",
        easter + timedelta(days=1): "lundi de Pâques",
        date(year, 5, 1): "1er mai",
        date(year, 5, 8): "8 mai",
        easter + timedelta(days=50): "lundi de Pentecôte",
        date(year, 7, 14): "14 juillet",
        date(year, 8, 15): "Assomption",
        date(year, 11, 1): "Toussaint",
        date(year, 11, 11): "11 novembre",
        date(year, 12, 25): "Noël",
    }


def _nothing(_year: int) -> dict[date, str]:
    return {}


def _alsace_moselle(year: int) -> dict[date, str]:
    return {date(year, 12, 26): "Saint-Étienne"}


def _alsace_moselle_with_temple(year: int) -> dict[date, str]:
    return {_easter_sunday(year) - timedelta(days=2): "Vendredi saint"} | _alsace_moselle(year)


def _abolition(month: int, day: int) -> _LocalHolidays:
    return lambda year: {date(year, month, day): "abolition de l'esclavage"}


# Good Friday is a holiday only in communes that have a Protestant temple or a mixed church: hence two zones.
_ZONES: Final[Mapping[str, _LocalHolidays]] = {
    "metropole": _nothing,
    "alsace-moselle": _alsace_moselle,
    "alsace-moselle-temple": _alsace_moselle_with_temple,
    "guadeloupe": _abolition(5, 27),
    "guyane": _abolition(6, 10),
    "martinique": _abolition(5, 22),
    "mayotte": _abolition(4, 27),
    "reunion": _abolition(12, 20),
}

ZONES: Final = tuple(_ZONES)


@cache
def public_holidays(zone: str, year: int) -> Mapping[date, str]:
    """The legal public holidays of one year, each with its French name.

    Raises ValueError for a zone that is not in `ZONES`.
    """
    if zone not in _ZONES:
        raise ValueError(f"unknown public-holiday zone {zone!r}; allowed: {', '.join(ZONES)}")
    return MappingProxyType(_everywhere(year) | _ZONES[zone](year))
