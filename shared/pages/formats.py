"""Formats: dates, durations and references as a reader of the language writes them. Pure functions."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from markupsafe import Markup, escape

_LOCALES = {"en": "en_GB"}
_REFERENCE_GROUP = 4
_NO_BREAK = "\u00a0"


def local_datetime(moment: datetime, timezone: str, language: str) -> str:
    """\"mardi 24 novembre 2026 à 14 h 05", "Tuesday 24 November 2026 at 14:05". The moment must be aware."""
    local = _local(moment, timezone)
    return f"{_long_date(local.date(), language)} {_at(language)} {_time(local, language)}"


def local_date(moment: datetime | date, timezone: str, language: str) -> str:
    """\"mardi 1er décembre 2026", "Tuesday 1 December 2026"."""
    day = _local(moment, timezone).date() if isinstance(moment, datetime) else moment
    return _long_date(day, language)


def time_tag(moment: datetime, timezone: str, language: str) -> Markup:
    """The moment in words, within a `<time>` that machines read."""
    machine = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}">{}</time>').format(machine, local_datetime(moment, timezone, language))


def duration(seconds: float, language: str) -> str:
    """\"45 min", "2 h 30", "48 h": hours and minutes, rounded to the minute; days are never made of working hours."""
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return f"{minutes}{_NO_BREAK}min"
    if not minutes:
        return f"{hours}{_NO_BREAK}h"
    if language == "fr":
        return f"{hours}{_NO_BREAK}h{_NO_BREAK}{minutes:02d}"
    return f"{hours}{_NO_BREAK}h{_NO_BREAK}{minutes:02d}{_NO_BREAK}min"


def working_duration(seconds: float, language: str) -> str:
    """\"48 heures ouvrées", "1 heure ouvrée", "2 h 30 de temps ouvré"; "48 working hours" in English."""
    hours, minutes = divmod(round(seconds / 60), 60)
    if language == "fr":
        if minutes or not hours:
            return f"{duration(seconds, language)} de temps ouvré"
        return f"{hours}{_NO_BREAK}heure{'s' if hours > 1 else ''} ouvrée{'s' if hours > 1 else ''}"
    if minutes or not hours:
        return f"{duration(seconds, language)} of working time"
    return f"{hours}{_NO_BREAK}working hour{'' if hours == 1 else 's'}"


def reference(code: str) -> str:
    """\"K7M2Q9XC" as "K7M2 Q9XC", easier to read aloud; a code that has separators of its own is left alone."""
    if not code.isalnum():
        return code
    groups = [code[start : start + _REFERENCE_GROUP] for start in range(0, len(code), _REFERENCE_GROUP)]
    return _NO_BREAK.join(groups)


def nl2br(text: str) -> Markup:
    """Text with its line breaks, everything else escaped."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Markup("<br>\n").join(escape(line) for line in lines)


def _local(moment: datetime, timezone: str) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone cannot be shown: pass an aware datetime")
    return moment.astimezone(ZoneInfo(timezone))


def _long_date(day: date, language: str) -> str:
    if language == "fr":
        number = "1er" if day.day == 1 else str(day.day)
        return f"{format_date(day, 'EEEE', locale='fr')} {number}{_NO_BREAK}{format_date(day, 'MMMM y', locale='fr')}"
    if language == "en":
        return format_date(day, "EEEE d MMMM y", locale="en_GB")
    return format_date(day, "full", locale=_LOCALES.get(language, language))


def _at(language: str) -> str:
    return {"fr": "à", "en": "at"}.get(language, "–")


def _time(local: datetime, language: str) -> str:
    if language == "fr":
        return f"{local.hour}{_NO_BREAK}h" + (f"{_NO_BREAK}{local.minute:02d}" if local.minute else "")
    return format_datetime(local, "HH:mm", locale=_LOCALES.get(language, language))
