"""Dates and answers in words."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date

from shared.organisation import Category, Question
from shared.pages import formats
from shared.working_time import public_holidays

_APPEAL_MONTHS: Final = 2
_SATURDAY: Final = 5
_NO_BREAK: Final = "\u00a0"
_YES_NO: Final = {"fr": {"yes": "Oui", "no": "Non"}, "en": {"yes": "Yes", "no": "No"}}


def in_full(moment: datetime, timezone: str, language: str) -> str:
    """\"mardi 1er décembre 2026 à 14 h": the local date and time, to the minute."""
    return _in_full(moment.replace(second=0, microsecond=0), timezone, language)


def in_short(moment: datetime, timezone: str, language: str) -> str:
    """\"mar. 1er déc. 14 h", for a subject."""
    return _in_short(moment.replace(second=0, microsecond=0), timezone, language)


@lru_cache(maxsize=4096)
def day_in_full(day: date, language: str) -> str:
    """\"mardi 1er décembre 2026"."""
    return formats.local_date(day, "", language)


@lru_cache(maxsize=4096)
def _in_full(moment: datetime, timezone: str, language: str) -> str:
    return formats.local_datetime(moment, timezone, language)


@lru_cache(maxsize=4096)
def _in_short(moment: datetime, timezone: str, language: str) -> str:
    local = moment.astimezone(ZoneInfo(timezone))
    if language != "fr":
        return f"{format_date(local, 'EEE d MMM', locale='en_GB')} {local:%H:%M}"
    day = "1er" if local.day == 1 else str(local.day)
    minutes = f"{_NO_BREAK}{local.minute:02d}" if local.minute else ""
    month = format_date(local, "MMM", locale="fr")
    return f"{format_date(local, 'EEE', locale='fr')} {day}{_NO_BREAK}{month} {local.hour}{_NO_BREAK}h{minutes}"


def months_after(day: date, months: int) -> date:
    """Return the same day some calendar months later, or the last of that month where it has no such day.

    A delay of the CRPA in months counts from date to date (L231-1: silence for two months).
    """
    ahead = day.month - 1 + months
    year, month = day.year + ahead // 12, ahead % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day.day, last))


def last_day_of_appeal(decided_on: date, zone: str) -> date:
    """Return the last day on which the administrative court may be asked about a decision, implicit ones included.

    Two months (code de justice administrative, R421-1 and R421-2) that are a clear delay (délai franc): neither the day of
    the decision nor the day on which they run out counts. Decided on 24 January: they begin on the 25th, run out on 24 March, and
    the 25th is the last day. A Saturday, a Sunday or a public holiday of `zone` gives way to the next working day (Conseil
    d'État, 19 September 2014, 362568). Where a rule could be read in two ways the later day is told: it binds who told it.
    """
    last = months_after(decided_on, _APPEAL_MONTHS) + timedelta(days=1)
    while last.weekday() >= _SATURDAY or last in public_holidays(zone, last.year):
        last += timedelta(days=1)
    return last


def answers_in_words(answers: Mapping[str, str], category: Category | None, language: str) -> list[tuple[str, str]]:
    """Return question and answer, as their form showed them. A question that the configuration has lost keeps its code."""
    told = []
    for code, answer in answers.items():
        question = category.question(code) if category else None
        told.append((question.label if question else code, _answer(question, answer, language)))
    return told


def _answer(question: Question | None, answer: str, language: str) -> str:
    if question is None:
        return answer
    match question.kind:
        case "choice":
            return next((choice.label for choice in question.choices if choice.code == answer), answer)
        case "yes_no":
            return _YES_NO.get(language, _YES_NO["fr"]).get(answer, answer)
        case "date":
            try:
                return day_in_full(date.fromisoformat(answer), language)
            except ValueError:
                return answer
        case _:
            return answer
