"""Catalogue: messages in the reader's language. French is the source: its messages are their own ids."""

import gettext
import io
import re
from collections.abc import Iterable
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

SOURCE_LANGUAGE = "fr"
KIT_LOCALE = Path(__file__).parent / "locale"
_METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2"), ("**.xml", "jinja2")]
_KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
_OPTIONS = {pattern: {"silent": "false"} for pattern, method in _METHODS if method == "jinja2"}
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")


class SourceTranslations(gettext.NullTranslations):
    """French as it stands in the templates; 0 and 1 are singular in French."""

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return msgid1 if abs(n) < 2 else msgid2


class Catalogue:
    """The messages of the kit and of a service's folders (`<language>/LC_MESSAGES/*.po`), compiled in memory.

    A message of a later folder wins over an earlier one. An unreadable file raises when the catalogue is built.
    """

    def __init__(self, *folders: Path) -> None:
        self._catalogs: dict[str, list[Catalog]] = {}
        for folder in (KIT_LOCALE, *folders):
            for path in sorted(folder.glob("*/LC_MESSAGES/*.po")):
                language = path.parent.parent.name
                with path.open("rb") as file:
                    self._catalogs.setdefault(language, []).append(read_po(file, locale=language, abort_invalid=True))
        self._translations = {language: _compile(catalogs) for language, catalogs in self._catalogs.items()}

    def translations(self, language: str) -> gettext.NullTranslations:
        """The messages of a language; the French source where the language has no catalogue."""
        return self._translations.get(language) or SourceTranslations()

    def translated(self, language: str) -> dict[str, tuple[str, ...]]:
        """Message id → its texts, for what is really translated (fuzzy and empty ones are not)."""
        known: dict[str, tuple[str, ...]] = {}
        for catalog in self._catalogs.get(language, []):
            for message in catalog:
                texts = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
                if message.id and not message.fuzzy and texts and all(texts):
                    known[_first(message.id)] = texts
        return known


def missing_translations(folders: Iterable[Path], catalogue: Catalogue, language: str) -> list[str]:
    """One line for each message of these folders' templates and modules that the language lacks, or whose
    translation has other placeholders than its source. Empty for the source language."""
    if language == SOURCE_LANGUAGE:
        return []
    known = catalogue.translated(language)
    found: list[str] = []
    for folder in folders:
        for name, line, message, _comments, _context in extract_from_dir(
            folder, method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS
        ):
            source = _first(message)
            if source not in known:
                found.append(f"{folder.name}/{name}:{line}: no translation into {language}: {source!r}")
            elif any(_placeholders(text) - _placeholders(_joined(message)) for text in known[source]):
                found.append(f"{folder.name}/{name}:{line}: unknown placeholder in {language}: {source!r}")
    return sorted(set(found))


def _compile(catalogs: list[Catalog]) -> Translations:
    first, *others = (_in_memory(catalog) for catalog in catalogs)
    for other in others:
        first.merge(other)
    return first


def _in_memory(catalog: Catalog) -> Translations:
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)


def _first(message: str | tuple[str, ...] | list[str]) -> str:
    return message if isinstance(message, str) else message[0]


def _joined(message: str | tuple[str, ...] | list[str]) -> str:
    return message if isinstance(message, str) else " ".join(part for part in message if part)


def _placeholders(text: str) -> set[str]:
    return {first or second for first, second in _PLACEHOLDER.findall(text)}
