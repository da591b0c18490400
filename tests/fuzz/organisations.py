"""Naughty strings as the names of an organisation: services, categories, questions, addresses of its letters' heads and ends."""

from collections.abc import Iterable
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from deploy.local.town import ORGANISATION
from shared.organisation import Authority, load
from tests.fuzz.desk import Desk
from tests.fuzz.fields import GOOD, Filled, lines_joined
from tests.fuzz.mails import Written, write_one

M = TypeVar("M", bound=BaseModel)
_NAMES: Final = frozenset(
    "name title label description short_name legal_basis appeal postal_address mediation reason hint".split()  # noqa: SIM905  # shorter
)
"""The fields whose words stand in letters or on pages."""
_KINDS: Final = ("receipt", "assignment")


def renamed(authority: Authority, text: str) -> Authority:
    """Return the authority with a text in the place of every name. Raises ValidationError, as its files would be refused."""
    settings, services, categories, calendars, charter, escalations = authority.files
    return Authority(
        settings=_with_names(settings, text),
        services=_with_names(services, text),
        categories=_with_names(categories, text),
        charter=_with_names(charter, text),
        calendars=calendars,
        escalations=escalations,
    )


def _with_names(file: M, text: str) -> M:
    return type(file).model_validate(_renamed(file.model_dump(mode="json", by_alias=True), text))


def _renamed(told: Any, text: str) -> Any:  # Any: JSON
    match told:
        case dict():
            return {key: _named(value, text) if key in _NAMES else _renamed(value, text) for key, value in told.items()}
        case list() | tuple():
            return [_renamed(one, text) for one in told]
        case _:
            return told


def _named(value: Any, text: str) -> Any:
    match value:
        case str():
            return text
        case list() | tuple() if value and isinstance(value[0], str):
            return [text] * len(value)
        case _:
            return _renamed(value, text)


def write_for_organisations(strings: Iterable[tuple[int, str]]) -> Written:
    """Name an organisation by each string, and write the first letters of a request to it."""
    town, written = load(ORGANISATION).authority("rivemont"), Written()
    for number, text in strings:
        written.cases += 1
        try:
            desk = Desk(renamed(town, text))
        except ValidationError:
            written.refused += 1
            continue
        filled = Filled("names of the organisation", lambda desk, _text: desk.submit(GOOD), _KINDS, lines_joined)
        written.faults += [
            f"{filled.name}, string {number} {text[:40]!r}: {fault}" for fault in write_one(desk, filled, text, written)
        ]
    return written
