"""Whether the charter promises something to everybody, and whether each of its lines promises something to somebody."""

from collections.abc import Iterator
from typing import Final, get_args

from shared.events.requests import Channel
from shared.organisation.category import CategoriesFile
from shared.organisation.charter import CharterFile
from shared.organisation.draft import Parsed
from shared.organisation.fault import Fault
from shared.organisation.service import ServicesFile

CHANNELS: Final[tuple[str, ...]] = get_args(Channel)

_Case = tuple[str, str, str | None]
"""A channel, a service, a category."""


def charter_reach(
    charter: Parsed[CharterFile], services: ServicesFile, categories: CategoriesFile, *, front_desk: str
) -> Iterator[Fault]:
    """A fault for requests that no promise fits, and one for each promise that no request can get.

    Tries every channel, with every service, with each of its categories and with none; small enough to be exact.
    """
    reached: set[int] = set()
    without: list[_Case] = []
    for case in _cases(services, categories, front_desk):
        index = _first_fit(charter.model, case)
        if index is None:
            without.append(case)
        else:
            reached.add(index)
    if without:
        yield charter.file.fault(("promises",), _uncovered(without))
    for index, promise in enumerate(charter.model.promises):
        if index not in reached:
            message = "no request can get this promise: rules above take them all, or no such service has its categories"
            yield charter.file.fault(("promises", index), f"{message} ({promise.code})")


def _cases(services: ServicesFile, categories: CategoriesFile, front_desk: str) -> Iterator[_Case]:
    for service in services.services:
        own = [one.code for one in categories.categories if service.code in (*one.services, front_desk)]
        for category in (None, *own):
            for channel in CHANNELS:
                yield channel, service.code, category


def _first_fit(charter: CharterFile, case: _Case) -> int | None:
    channel, service, category = case
    for index, promise in enumerate(charter.promises):
        if promise.fits(channel=channel, service=service, category=category):
            return index
    return None


def _uncovered(cases: list[_Case]) -> str:
    channel, service, category = cases[0]
    example = f"channel {channel}, service {service}, {f'category {category}' if category else 'no category'}"
    return f"no promise fits {len(cases)} kinds of request, for instance {example}; end with a promise for any"
