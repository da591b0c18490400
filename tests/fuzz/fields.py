"""Every field that reaches a mail, by whom it is filled in, and the letters that must then say what was written."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pydantic_core import PydanticSerializationError

from shared.events import handling
from tests.fuzz.desk import Case, Desk, Refused
from tests.fuzz.mail_faults import in_one_line, readable

GOOD: Final[dict[str, Any]] = {
    "service": "voirie",
    "category": "eclairage",
    "name": "Solène Vautrin",
    "email": "solene@courriel.example",
    "phone": "06 12 34 56 78",
    "text": "Le lampadaire est éteint.",
    "answers": {"lieu": "12 rue des Lilas"},
}
_TARGET: Final = "proprete"


@dataclass(frozen=True)
class Filled:
    """A field. `fill` raises Refused; `shown` is what the letters of these kinds say of it."""

    name: str
    fill: Callable[[Desk, str], Case]
    kinds: tuple[str, ...]
    shown: Callable[[str], str] = readable


def lines_joined(text: str) -> str:
    """Return a readable text on one line, its spaces kept: how the answer to a question is told."""
    return re.sub(r"[\n\t]+", " ", readable(text)).strip()


def _without_blanks(text: str) -> str:
    """Return what is told of a text that stands in a sheet of the notifier: what stands there for a blank is replaced."""
    return re.sub("[\ue000-\ue012]", "\ufffd", lines_joined(text))


def by_an_agent(text: str) -> str:
    """Return what is told of an agent's text: nothing when there is nothing in it to read (no letter, digit, sign or mark)."""
    told = readable(text)
    return told if any(unicodedata.category(one)[0] in "LNPS" for one in told) else ""


def _submitted(desk: Desk, text: str, *, field: str) -> Case:
    return desk.submit(GOOD | {field: text})


def _typed(desk: Desk, text: str, *, field: str) -> Case:
    """The same by the form."""
    fields = {name: value for name, value in GOOD.items() if isinstance(value, str) and name != "service"}
    return desk.fill_in(fields | {"answer-lieu": "12 rue des Lilas"} | {field: text}, "voirie")


def _addressed(desk: Desk, text: str, *, pattern: str) -> Case:
    return desk.submit(GOOD | {"email": pattern.replace("*", text)})


def _answered(desk: Desk, text: str, *, service: str, category: str, answers: Mapping[str, str], code: str) -> Case:
    return desk.submit(GOOD | {"service": service, "category": category, "answers": {**answers, code: text}})


def _named(desk: Desk, text: str) -> Case:
    """The code of a question, which a program makes up."""
    return desk.submit(GOOD | {"answers": {"lieu": "ici", text: text}})


def _added(desk: Desk, text: str) -> Case:
    case = desk.submit(GOOD)
    case.write(text)
    return case


def _reopened(desk: Desk, text: str) -> Case:
    case = desk.submit(GOOD)
    case.act("resolve", "")
    case.reopen(text)
    return case


def _acted(desk: Desk, text: str, *, action: handling.Action) -> Case:
    case = desk.submit(GOOD)
    case.act(action, text, _TARGET if action == "transfer" else "")
    return case


def _forged(desk: Desk, text: str, *, field: str) -> Case:
    """What only intake writes into its events: a fault of ours, or a forged log, must not break a mail either."""
    case = desk.submit(GOOD)
    try:
        if field == "token":
            return desk.forge_token(case, text)
        if field == "label":
            return desk.forge(case, promise=case.received.promise.model_copy(update={"label": text}))
        return desk.forge(case, **{field: text})
    except (UnicodeEncodeError, PydanticSerializationError):  # no event holds half a character
        raise Refused("half a character") from None


def _fields() -> Iterator[Filled]:
    shown = {"name": in_one_line, "phone": in_one_line, "text": readable}
    for field, how in shown.items():
        kinds = ("receipt", "assignment") if field == "name" else ("assignment",)
        yield Filled(field, partial(_submitted, field=field), kinds, how)
        yield Filled(f"{field} in the form", partial(_typed, field=field), kinds, how)
    for pattern in ("*", "*@courriel.example", "solene@*.example"):
        yield Filled(f"address {pattern}", partial(_addressed, pattern=pattern), ("assignment",), lambda _: "")
    yield Filled("address in the form", partial(_typed, field="email"), ("assignment",), lambda _: "")
    yield from _answers()
    yield Filled("message of the usager", _added, ("usager_message",))
    yield Filled("reason to reopen", _reopened, ("assignment.5",))
    letters: dict[handling.Action, str] = {
        "ask": "question",
        "answer": "answer",
        "transfer": "assignment.3",
        "resolve": "resolution",
    }
    for action, letter in letters.items():
        yield Filled(f"agent's text to {action}", partial(_acted, action=action), (letter,), by_an_agent)
    yield Filled("reference", partial(_forged, field="reference"), ("receipt",), lines_joined)
    yield Filled("tracking token", partial(_forged, field="token"), ("receipt",), lambda _: "")
    yield Filled("announced delay", partial(_forged, field="label"), ("receipt",), _without_blanks)


def _answers() -> Iterator[Filled]:
    asked: tuple[tuple[str, str, dict[str, str], str], ...] = (
        ("voirie", "eclairage", {}, "lieu"),
        ("urbanisme", "declaration-prealable", {"parcelle": "AB 12"}, "travaux"),
        ("urbanisme", "permis-construire", {"parcelle": "AB 12"}, "surface"),
        ("etat-civil", "acte", {"type": "naissance"}, "date"),
        ("etat-civil", "acte", {"date": "2020-02-29"}, "type"),
        ("voirie", "danger-voirie", {"lieu": "ici"}, "blesse"),
    )
    for service, category, answers, code in asked:
        fill = partial(_answered, service=service, category=category, answers=answers, code=code)
        told = lines_joined if code in ("lieu", "travaux", "surface") else lambda _: ""
        yield Filled(f"answer {category}.{code}", fill, ("assignment",), told)
    yield Filled("answer in the form", partial(_typed, field="answer-lieu"), ("assignment",), in_one_line)
    yield Filled("name of an answer", _named, ("assignment",), lambda _: "")


FIELDS: Final = tuple(_fields())
