"""Letters as sheets with blanks: a template is run once per sort of letter, and then only filled in.

A sheet depends on the authority, the kind of letter, the service, the language...; a blank is what differs from one
request to the next. Filling and encoding the lines that have blanks takes some 15 µs for both parts, against 600 µs for
running the templates each time. What is filled in is never looked at again, so that nothing in it can act as a template.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from gettext import NullTranslations
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from services.notifier.mime import quoted_printable
from shared.pages.catalogue import Catalogue

FOLDER: Final = Path(__file__).parent
BLANKS: Final = (
    "reference",
    "received_on",
    "due",
    "due_short",
    "silence_on",
    "appeal_until",
    "name",
    "email",
    "phone",
    "text",
    "answers",
    "message",
    "tracking_url",
    "view_url",
    "take_charge_url",
    "ask_url",
    "answer_url",
    "transfer_url",
    "resolve_url",
)
"""What can be left blank. In a template: `{{ blank.reference }}`. No filter may be put on it, and no condition."""
_FIRST_MARK: Final = 0xE000
_MARKS: Final = {name: chr(_FIRST_MARK + place) for place, name in enumerate(BLANKS)}
_MARK: Final = re.compile(f"([\ue000-{chr(_FIRST_MARK + len(BLANKS) - 1)}])")
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+$")
_EMPTY_LINES: Final = re.compile(r"\n\s*\n\s*\n+")

Values = Mapping[str, str]


def without_marks(text: str) -> str:
    """Return a text that comes from elsewhere without what would stand for a blank in a sheet."""
    return _MARK.sub("\ufffd", text)


class Sheet:
    """A text with blanks."""

    def __init__(self, text: str) -> None:
        self._parts = _MARK.split(text)
        self.blanks: Final = tuple(BLANKS[ord(mark) - _FIRST_MARK] for mark in self._parts[1::2])

    def fill(self, values: Values) -> str:
        """Return the text with its blanks filled in."""
        parts = self._parts.copy()
        parts[1::2] = [values[name] for name in self.blanks]
        return "".join(parts)


class Body:
    """A part of a mail with blanks. Lines without one are encoded once for all letters: they are most of it."""

    def __init__(self, text: str) -> None:
        self._parts: list[bytes | Sheet] = []
        for has_blanks, lines in groupby(_LINE.findall(text), key=lambda line: _MARK.search(line) is not None):
            part = "".join(lines)
            self._parts.append(Sheet(part) if has_blanks else quoted_printable(part))
        self.blanks: Final = tuple(blank for part in self._parts if isinstance(part, Sheet) for blank in part.blanks)

    def encode(self, values: Values) -> bytes:
        """Return the text with its blanks filled in, as a quoted-printable body."""
        return b"".join(quoted_printable(part.fill(values)) if isinstance(part, Sheet) else part for part in self._parts)


@dataclass(frozen=True)
class LetterSheet:
    """The three sheets of a letter. `blanks`: those of all three."""

    subject: Sheet
    text: Body
    html: Body

    @cached_property
    def blanks(self) -> frozenset[str]:
        return frozenset((*self.subject.blanks, *self.text.blanks, *self.html.blanks))


class Press:
    """Makes sheets from the templates: `letters/<kind>.j2` says what a letter says, `text/` and `html/` how it looks."""

    def __init__(self) -> None:
        self._catalogue = Catalogue(FOLDER / "locale")
        self._environments: dict[tuple[str, str], Environment] = {}

    def make(self, kind: str, language: str, **values: Any) -> LetterSheet:  # Any: whatever the templates show
        """Return the sheets of a letter of this kind. Raises jinja2.UndefinedError when a template wants more than is given."""
        subject, text = self._render("text", kind, language, values)
        _, html = self._render("html", kind, language, values)
        text = _EMPTY_LINES.sub("\n\n", text).strip() + "\n"
        return LetterSheet(Sheet(" ".join(subject.split())), Body(text), Body(html))

    def prepare(self, language: str) -> None:
        """Compile the templates of a language: 30 ms each, which the first letters would otherwise wait for."""
        for form in ("text", "html"):
            environment = self._environment(form, language)
            for name in environment.list_templates(extensions=["j2"]):
                environment.get_template(name)

    def _render(self, form: str, kind: str, language: str, values: dict[str, Any]) -> tuple[str, str]:
        environment = self._environment(form, language)
        letter = environment.get_template(f"{kind}.j2").make_module({"blank": _MARKS, "language": language, **values})
        told: Any = letter  # what a template sets at its top, such as the subject, is an attribute of its module
        body = Markup(str(letter)) if form == "html" else str(letter)  # noqa: S704  # escaped by its template
        page = environment.get_template("layout.j2").render(
            blank=_MARKS, language=language, body=body, subject=told.subject, title=told.title, **values
        )
        return str(told.subject), page

    def _environment(self, form: str, language: str) -> Environment:
        key = (form, language)
        if key not in self._environments:
            self._environments[key] = _build(form, language, self._catalogue.translations(language))
        return self._environments[key]


def _build(form: str, language: str, translations: NullTranslations) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([FOLDER / "templates" / form, FOLDER / "templates" / "letters"]),
        autoescape=form == "html",  # noqa: S701  # a text part is no markup
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    prepare: Callable[[str], str] = escape if form == "html" else str

    def translate(message: str, /, **variables: object) -> str:
        text = prepare(translations.gettext(message))
        return text % variables if variables else text

    def translate_number(singular: str, plural: str, number: int, /, **variables: object) -> str:
        return prepare(translations.ngettext(singular, plural, number)) % {"num": number, **variables}

    environment.globals.update(
        _=translate, gettext=translate, ngettext=translate_number, colon="\u00a0: " if language == "fr" else ": "
    )
    return environment
