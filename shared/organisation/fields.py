"""The types of single values in the configuration, each with its own rule and its own message."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, time
from typing import Annotated, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.working_time import Period

_UNSEEN: Final = frozenset(
    one
    for one in map(chr, range(0x10000))
    if unicodedata.category(one) in ("Cc", "Cs", "Co", "Zl", "Zp")
    or one in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
"""Control characters, line ends, private characters (the notifier's blanks are some), marks that turn the direction of text."""
_WHITE_LUMINANCE: Final = 1.0
AA_CONTRAST: Final = 4.5
"""WCAG 2.2, success criterion 1.4.3: normal text against its background."""


class ConfigurationModel(BaseModel):
    """Part of a configuration file: unknown fields are faults, values never change after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True, str_strip_whitespace=True
    )


def _matching(pattern: str, message: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"{value!r} {message}")
        return value

    return check


def _in_sight(hidden: frozenset[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        found = next((one for one in value if one in hidden), None)
        if found is not None:
            raise ValueError(f"it holds the character U+{ord(found):04X}, which no reader sees; take it out")
        return value

    return check


def _known_timezone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is no time zone; write for instance Europe/Paris")
    ZoneInfo(value)
    return value


def contrast_on_white(colour: str) -> float:
    """Contrast ratio of a #rrggbb colour with white (WCAG 2.2, "relative luminance")."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return (_WHITE_LUMINANCE + 0.05) / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _readable_on_white(value: str) -> str:
    ratio = contrast_on_white(value)
    if ratio < AA_CONTRAST:
        raise ValueError(f"{value} on white has a contrast of {ratio:.2f}, under {AA_CONTRAST}; choose a darker colour")
    return value


def _period(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-4]):([0-5]\d)", value.strip())
    if not match or (match[3] == "24" and match[4] != "00"):
        raise ValueError(f'{value!r} is no period; write "08:30-12:00" (a closing at midnight is 24:00)')
    opening, closing = time(int(match[1]), int(match[2])), time(int(match[3]) % 24, int(match[4]))
    return opening, closing


def _day(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError(f"{value!r} is no date; write it as 2026-05-01")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value} is not in the calendar") from None


Code = Annotated[
    str,
    AfterValidator(_matching(r"[a-z][a-z0-9-]{0,62}", "is no code: lower-case letters without accents, digits and -")),
]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_in_sight(_UNSEEN))]
"""One line of French that an inhabitant reads."""
Prose = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_in_sight(_UNSEEN - {"\n"}))]
Email = Annotated[
    str,
    AfterValidator(_matching(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", "is no mail address")),
]
Phone = Annotated[
    str, AfterValidator(_matching(r"\+?[0-9][0-9 .]{2,24}", 'is no phone number; write "03 00 00 00 00", in quotes'))
]
Colour = Annotated[
    str,
    AfterValidator(_matching(r"#[0-9a-fA-F]{6}", 'is no colour; write "#1b4d89", in quotes')),
    AfterValidator(_readable_on_white),
]
WebAddress = Annotated[
    str, AfterValidator(_matching(r"https?://[^\s/?#]+(/[^\s?#]*[^\s/?#])?", "is no web address without final /"))
]
Day = Annotated[date, BeforeValidator(_day, json_schema_input_type=date)]
Timezone = Annotated[str, AfterValidator(_known_timezone)]
PostalAddress = Annotated[tuple[Label, ...], Field(min_length=2, max_length=7)]
"""The lines of an envelope, in order."""
HoursOfDay = Annotated[
    Period,
    BeforeValidator(_period, json_schema_input_type=Annotated[str, Field(pattern=r"^\d\d:\d\d\s*-\s*\d\d:\d\d$")]),
]
