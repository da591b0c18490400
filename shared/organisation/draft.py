"""One authority's folder as far as it could be read: the files of the right shape, the faults of the others."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar

from pydantic import BaseModel

from shared.organisation.authority_file import AuthorityFile
from shared.organisation.calendar_rule import CalendarsFile
from shared.organisation.category import CategoriesFile
from shared.organisation.charter import CharterFile
from shared.organisation.escalation import EscalationsFile
from shared.organisation.fault import Fault, hint
from shared.organisation.service import ServicesFile
from shared.organisation.shape import shaped
from shared.organisation.yaml_file import Place, YamlFile, read_yaml

M = TypeVar("M", bound=BaseModel)

FILES: Final[dict[str, type[BaseModel]]] = {
    "authority.yaml": AuthorityFile,
    "services.yaml": ServicesFile,
    "categories.yaml": CategoriesFile,
    "calendars.yaml": CalendarsFile,
    "charter.yaml": CharterFile,
    "escalations.yaml": EscalationsFile,
}
"""The files of an authority's folder, all mandatory, and what each of them holds."""


@dataclass(frozen=True, slots=True)
class Parsed(Generic[M]):
    """A file of the right shape, with the lines of its values."""

    file: YamlFile
    model: M

    def unknown(self, place: Place, value: str, allowed: tuple[str, ...], *, noun: str) -> Iterator[Fault]:
        """A fault when `value` is not among the `allowed` codes."""
        if value not in allowed:
            yield self.file.fault(place, f"{value!r} is no {noun}{hint(value, allowed)}", allowed)


@dataclass(slots=True)
class Draft:
    """None stands for a file that has faults of its own: what refers to it cannot be checked."""

    folder: str
    authority: Parsed[AuthorityFile] | None = None
    services: Parsed[ServicesFile] | None = None
    categories: Parsed[CategoriesFile] | None = None
    calendars: Parsed[CalendarsFile] | None = None
    charter: Parsed[CharterFile] | None = None
    escalations: Parsed[EscalationsFile] | None = None
    faults: list[Fault] = field(default_factory=list)


def read_draft(folder: Path) -> Draft:
    """Read every file of the folder; never raises for what is in them."""
    draft = Draft(folder=folder.name)
    draft.faults.extend(_strangers(folder))
    draft.authority = _parse(folder, "authority.yaml", AuthorityFile, draft.faults)
    draft.services = _parse(folder, "services.yaml", ServicesFile, draft.faults)
    draft.categories = _parse(folder, "categories.yaml", CategoriesFile, draft.faults)
    draft.calendars = _parse(folder, "calendars.yaml", CalendarsFile, draft.faults)
    draft.charter = _parse(folder, "charter.yaml", CharterFile, draft.faults)
    draft.escalations = _parse(folder, "escalations.yaml", EscalationsFile, draft.faults)
    return draft


def _parse(folder: Path, name: str, model: type[M], faults: list[Fault]) -> Parsed[M] | None:
    file = read_yaml(folder / name, f"{folder.name}/{name}")
    if isinstance(file, Fault):
        faults.append(file)
        return None
    found = shaped(file, model)
    if isinstance(found, list):
        faults.extend(found)
        return None
    return Parsed(file=file, model=found)


def _strangers(folder: Path) -> Iterator[Fault]:
    """A misspelt file name must not be a file that nobody reads."""
    for path in sorted(folder.iterdir()):
        if path.suffix in (".yaml", ".yml") and path.name not in FILES and not path.name.startswith("."):
            message = f"nothing reads a file of this name{hint(path.name, FILES)}"
            yield Fault(f"{folder.name}/{path.name}", 1, "(file)", message, tuple(FILES))
