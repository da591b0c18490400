"""The public form: from the fields that a browser sends to a submission, and back to the page with what to correct."""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from pydantic import ValidationError
from starlette.requests import Request

from services.intake.domain.validation import Fault, clean_line, clean_text, find_answer_faults
from shared.events.inbound import Submission
from shared.organisation import Authority
from shared.organisation.category import Category, Question
from shared.pages.problem import N_, Problem

ANSWER: Final = "answer-"
TRAP: Final = "website"
_MOST_FIELDS: Final = 200
_TICKET: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")
_CONTACT: Final = N_("Indiquez une adresse électronique ou un numéro de téléphone, pour que l’on puisse vous répondre.")
_WRONG: Final = {
    "name": N_("Ce nom est trop long : 200 caractères au plus."),
    "email": N_("Vérifiez l’adresse électronique. Exemple : nom@exemple.fr."),
    "phone": N_("Vérifiez le numéro de téléphone. Exemple : 06 00 00 00 00."),
    "category": N_("Choisissez de nouveau le sujet."),
    "text": N_("Votre message est trop long : 20 000 caractères au plus."),
}
_EMPTY_TEXT: Final = N_("Écrivez votre message.")


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it was sent. `values` go back into the page; `submission` is None when something is wrong."""

    values: dict[str, str]
    errors: dict[str, str]
    ticket: str
    submission: Submission | None = None
    trapped: bool = False


@dataclass(frozen=True, slots=True)
class QuestionField:
    """A question of the category as a field of the form."""

    name: str
    question: Question
    value: str = ""
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Value and label of each choice."""
        return [(choice.code, choice.label) for choice in self.question.choices]


async def read_fields(request: Request) -> dict[str, str]:
    """Return the fields of a posted form; the first of each name. Raises Problem 415 and 400."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise Problem(415)
    try:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Problem(400) from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


def new_ticket() -> str:
    """Return the hidden value by which a form is taken once, however often it is sent."""
    return secrets.token_urlsafe(16)


def ticket_of(fields: Mapping[str, str]) -> str:
    """Return the ticket that came with a form; a new one when it has none, or an odd one."""
    ticket = fields.get("ticket", "")
    return ticket if _TICKET.fullmatch(ticket) else new_ticket()


def read_form(fields: Mapping[str, str], authority: Authority, service: str | None, *, language: str) -> Sent:
    """Return what was sent, as a submission when it has the right shape. Faults of the organisation come later."""
    category = authority.find_category(clean_line(fields.get("category", "")) or None)
    values = {name: fields.get(name, "") for name in ("name", "email", "phone", "text", "category")}
    values |= {name: value for name, value in fields.items() if name.startswith(ANSWER)}
    ticket = ticket_of(fields)
    told: dict[str, Any] = {name: clean_line(values[name]) or None for name in ("name", "email", "phone", "category")}
    told |= {
        "authority": authority.code,
        "channel": "web",
        "service": service,
        "text": clean_text(values["text"]).strip(),
        "answers": _answers(fields, category) if category else {},
        "language": language,
    }
    if fields.get(TRAP):
        return Sent(values, {}, ticket, trapped=True)
    try:
        return Sent(values, {}, ticket, Submission(**told))
    except ValidationError as error:
        errors = _errors(error, told)
        for fault in find_answer_faults(told["answers"], category) if category else ():
            errors.setdefault(ANSWER + fault.path[1], fault.message)
        return Sent(values, _in_order(errors, category), ticket)


def errors_of(faults: Iterable[Fault], category: Category | None) -> dict[str, str]:
    """Return what is wrong by the organisation's rules, as messages by field of the form."""
    errors: dict[str, str] = {}
    for fault in faults:
        name = ANSWER + fault.path[1] if fault.path[0] == "answers" and len(fault.path) > 1 else fault.path[0]
        errors.setdefault(name if name != "answers" else "category", fault.message)
    return _in_order(errors, category)


def question_fields(category: Category | None, values: Mapping[str, str]) -> list[QuestionField]:
    """Return the fields of a category's questions, filled with what was sent before."""
    fields = []
    for question in category.questions if category else ():
        name = ANSWER + question.code
        parts = {part: values.get(f"{name}_{part}", "") for part in ("day", "month", "year")}
        fields.append(QuestionField(name, question, values.get(name, ""), parts))
    return fields


def _answers(fields: Mapping[str, str], category: Category) -> dict[str, str]:
    answers = {}
    for question in category.questions:
        name = ANSWER + question.code
        answer = _date(fields, name) if question.kind == "date" else clean_text(fields.get(name, "")).strip()
        if question.kind in ("short_text", "number"):
            answer = clean_line(answer)
        if answer:
            answers[question.code] = answer
    return answers


def _date(fields: Mapping[str, str], name: str) -> str:
    """Return the three fields of a date as ISO 8601; as they are, to be refused, when they are no date."""
    day, month, year = (clean_line(fields.get(f"{name}_{part}", "")) for part in ("day", "month", "year"))
    if not (day or month or year):
        return ""
    if all(part.isascii() and part.isdigit() for part in (day, month, year)):
        return f"{int(year[:4]):04}-{int(month[:2]):02}-{int(day[:2]):02}"
    return f"{year}-{month}-{day}"


def _errors(error: ValidationError, told: Mapping[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    for fault in error.errors(include_url=False, include_input=False):
        name = str(fault["loc"][0]) if fault["loc"] else "email"
        if not fault["loc"]:
            errors.setdefault("email", _CONTACT)
        else:
            errors.setdefault(name, _EMPTY_TEXT if name == "text" and not told["text"] else _WRONG.get(name, _WRONG["category"]))
    if not told["email"] and not told["phone"]:
        errors.setdefault("email", _CONTACT)
    return errors


def _in_order(errors: dict[str, str], category: Category | None) -> dict[str, str]:
    """Return the errors in the order of the page."""
    questions = [ANSWER + question.code for question in category.questions] if category else []
    order = ["service", "category", *questions, "text", "name", "email", "phone"]
    return {name: errors[name] for name in sorted(errors, key=lambda name: order.index(name) if name in order else len(order))}
