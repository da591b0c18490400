"""What the files of one authority must agree on. Each check yields every fault that it finds."""

from collections.abc import Iterable, Iterator

from shared.organisation.authority_file import AuthorityFile
from shared.organisation.calendar_rule import CalendarsFile
from shared.organisation.category import CategoriesFile
from shared.organisation.charter import CharterFile
from shared.organisation.charter_reach import charter_reach
from shared.organisation.draft import Draft, Parsed
from shared.organisation.escalation import EscalationsFile
from shared.organisation.fault import Fault
from shared.organisation.service import ServicesFile
from shared.organisation.yaml_file import Place, YamlFile


def cross_checks(draft: Draft) -> Iterator[Fault]:
    """All faults between and within the files of the right shape."""
    authority, services, categories = draft.authority, draft.services, draft.categories
    calendars, charter, escalations = draft.calendars, draft.charter, draft.escalations
    yield from _codes_written_twice(draft)
    if authority:
        yield from _folder_bears_the_code(authority, draft.folder)
    if services:
        yield from _covers(services)
    if authority and services:
        yield from _front_desk(authority, services)
    if services and calendars:
        yield from _calendars_exist(services, calendars)
    if services and categories:
        yield from _services_of_categories(categories, services)
    if charter and escalations:
        yield from _ladders_exist(charter, escalations)
    if charter and services and categories:
        references = list(_references_of_the_charter(charter, services, categories))
        yield from references
        if authority and not references:
            yield from charter_reach(charter, services.model, categories.model, front_desk=authority.model.front_desk)


def _codes_written_twice(draft: Draft) -> Iterator[Fault]:
    if draft.services:
        yield from _twice(draft.services.file, ("services",), [s.code for s in draft.services.model.services])
    if draft.calendars:
        yield from _twice(draft.calendars.file, ("calendars",), [c.code for c in draft.calendars.model.calendars])
    if draft.charter:
        yield from _twice(draft.charter.file, ("promises",), [p.code for p in draft.charter.model.promises])
    if draft.escalations:
        yield from _twice(draft.escalations.file, ("ladders",), [one.code for one in draft.escalations.model.ladders])
    if draft.categories:
        file, categories = draft.categories.file, draft.categories.model.categories
        yield from _twice(file, ("categories",), [category.code for category in categories])
        for index, category in enumerate(categories):
            place: Place = ("categories", index, "questions")
            yield from _twice(file, place, [question.code for question in category.questions])
            for number, question in enumerate(category.questions):
                yield from _twice(file, (*place, number, "choices"), [choice.code for choice in question.choices])


def _twice(file: YamlFile, place: Place, codes: list[str]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, code in enumerate(codes):
        if code in first:
            line = file.line_of((*place, first[code], "code"))
            yield file.fault((*place, index, "code"), f"code {code!r} is already taken on line {line}")
        first.setdefault(code, index)


def _folder_bears_the_code(authority: Parsed[AuthorityFile], folder: str) -> Iterator[Fault]:
    code = authority.model.code
    if code != folder:
        message = f"{code!r} is not the name of the folder; rename one of them"
        yield authority.file.fault(("code",), message, (folder,))


def _front_desk(authority: Parsed[AuthorityFile], services: Parsed[ServicesFile]) -> Iterator[Fault]:
    code = authority.model.front_desk
    departments = tuple(service.code for service in services.model.services if service.kind == "department")
    yield from authority.unknown(("front_desk",), code, departments, noun="department")
    for index, service in enumerate(services.model.services):
        if service.code == code and service.closed is not None:
            message = "the front desk takes what nobody else takes: it cannot be closed"
            yield services.file.fault(("services", index, "closed"), message)


def _covers(services: Parsed[ServicesFile]) -> Iterator[Fault]:
    codes = _codes(services)
    covers = {service.code: service.cover for service in services.model.services}
    for index, service in enumerate(services.model.services):
        if service.cover is None:
            continue
        place: Place = ("services", index, "cover")
        yield from services.unknown(place, service.cover, codes, noun="service")
        if loop := _loop_from(service.code, covers):
            yield services.file.fault(place, f"covers go in a circle: {' -> '.join(loop)}; set one of them to null")


def _loop_from(start: str, covers: dict[str, str | None]) -> tuple[str, ...]:
    """The circle that leads back to `start`, or nothing."""
    seen = [start]
    while (following := covers.get(seen[-1])) is not None:
        if following == start:
            return (*seen, start)
        if following in seen:
            return ()
        seen.append(following)
    return ()


def _calendars_exist(services: Parsed[ServicesFile], calendars: Parsed[CalendarsFile]) -> Iterator[Fault]:
    codes = tuple(calendar.code for calendar in calendars.model.calendars)
    for index, service in enumerate(services.model.services):
        yield from services.unknown(("services", index, "calendar"), service.calendar, codes, noun="calendar")


def _services_of_categories(categories: Parsed[CategoriesFile], services: Parsed[ServicesFile]) -> Iterator[Fault]:
    for index, category in enumerate(categories.model.categories):
        place: Place = ("categories", index, "services")
        yield from _each_known(categories, place, category.services, _codes(services), noun="service")


def _ladders_exist(charter: Parsed[CharterFile], escalations: Parsed[EscalationsFile]) -> Iterator[Fault]:
    codes = tuple(ladder.code for ladder in escalations.model.ladders)
    for index, promise in enumerate(charter.model.promises):
        yield from charter.unknown(("promises", index, "ladder"), promise.ladder, codes, noun="ladder")
    yield from charter.unknown(("unowned", "ladder"), charter.model.unowned.ladder, codes, noun="ladder")


def _references_of_the_charter(
    charter: Parsed[CharterFile], services: Parsed[ServicesFile], categories: Parsed[CategoriesFile]
) -> Iterator[Fault]:
    known_categories = tuple(category.code for category in categories.model.categories)
    for index, promise in enumerate(charter.model.promises):
        place: Place = ("promises", index)
        yield from _each_known(charter, (*place, "services"), promise.services or (), _codes(services), noun="service")
        yield from _each_known(charter, (*place, "categories"), promise.categories or (), known_categories, noun="category")


def _each_known(
    parsed: Parsed[CharterFile] | Parsed[CategoriesFile],
    place: Place,
    codes: Iterable[str],
    allowed: tuple[str, ...],
    *,
    noun: str,
) -> Iterator[Fault]:
    for index, code in enumerate(codes):
        yield from parsed.unknown((*place, index), code, allowed, noun=noun)


def _codes(services: Parsed[ServicesFile]) -> tuple[str, ...]:
    return tuple(service.code for service in services.model.services)
