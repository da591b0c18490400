"""Whether a submission can be taken, judged by the authority's configuration. Says which field is wrong and what is wanted."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from shared.events.inbound import Submission
from shared.mail_address import BadAddress, parse_address
from shared.organisation import Authority
from shared.organisation.category import Category, Question
from shared.pages.problem import N_

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NUMBER: Final = re.compile(r"[+-]?\d{1,15}([.,]\d{1,9})?")
_LONGEST: Final = {"short_text": 300, "long_text": 4_000}
_UNSEEN: Final = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\u2028-\\u202e\\u2066-\\u2069\\ufeff]")
"""Control characters but for tab and line feed, halves of characters, and what breaks lines or turns the direction of writing
unseen: no database or mail takes the first, and the last could make a text say another thing."""
_DIGITS_OF_A_PHONE: Final = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field. `path`: the way to it in the submission; `allowed`: codes that would do."""

    path: tuple[str, ...]
    code: str
    message: str
    allowed: tuple[str, ...] = ()

    @property
    def pointer(self) -> str:
        """The field as a JSON pointer (RFC 6901)."""
        return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in self.path)


def clean_line(text: str) -> str:
    """Return a text of one line: no control characters, single spaces. Nothing is left that could begin a mail header."""
    return " ".join(clean_text(text).split())


def clean_text(text: str) -> str:
    """Return a text with line feeds for line ends, composed (NFC), without what no reader sees and no database takes."""
    if text.isascii() and text.isprintable():
        return text
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub("", unicodedata.normalize("NFC", lines))


def cleaned(submission: Submission) -> Submission:
    """Return the submission with its texts cleaned."""
    return submission.model_copy(
        update={
            "name": (clean_line(submission.name) or None) if submission.name else None,
            "phone": clean_line(submission.phone) if submission.phone else None,
            "text": clean_text(submission.text).strip(),
            "answers": {code: text for code, raw in submission.answers.items() if (text := clean_text(raw).strip())},
            "service": submission.service or None,
            "category": submission.category or None,
        }
    )


def find_faults(submission: Submission, authority: Authority) -> tuple[Fault, ...]:
    """Return what is wrong with a cleaned submission; nothing, when it can be taken.

    A service that does not exist or is closed is no fault: the router sends such a request to the front desk.
    """
    return tuple(_faults(submission, authority))


def _faults(submission: Submission, authority: Authority) -> Iterator[Fault]:
    if not submission.text:
        yield Fault(("text",), "empty", N_("Écrivez votre message."))
    if submission.email is not None and not _takes_mail(submission.email):
        yield Fault(("email",), "no_mailbox", N_("Vérifiez l’adresse électronique. Exemple : nom@exemple.fr."))
    if submission.phone is not None and sum(map(str.isdigit, submission.phone)) < _DIGITS_OF_A_PHONE:
        yield Fault(("phone",), "no_phone", N_("Ce numéro de téléphone est incomplet."))
    if submission.service is not None and not _CODE.fullmatch(submission.service):
        yield Fault(("service",), "no_code", N_("Ce n’est pas le code d’un service."), tuple(authority.services))
    category = authority.find_category(submission.category)
    if submission.category is not None:
        yield from _category_faults(submission, category, authority)
    elif submission.answers:
        yield Fault(("answers",), "no_category", N_("Des réponses sont données sans sujet : choisissez d’abord un sujet."))
    if category is not None:
        yield from find_answer_faults(submission.answers, category)


def _takes_mail(address: str) -> bool:
    """Whether a mail can be sent there: judged here as the notifier will, for a request without a receipt helps nobody."""
    try:
        parse_address(address)
    except BadAddress:
        return False
    return True


def _category_faults(submission: Submission, category: Category | None, authority: Authority) -> Iterator[Fault]:
    service = authority.find_service(submission.service)
    offered = authority.categories_of(service.code) if service else tuple(authority.categories.values())
    allowed = tuple(one.code for one in offered)
    if category is None:
        yield Fault(("category",), "unknown", N_("Ce sujet n’existe pas."), allowed)
    elif category not in offered:
        yield Fault(("category",), "not_of_service", N_("Ce sujet n’est pas traité par le service choisi."), allowed)


def find_answer_faults(answers: Mapping[str, str], category: Category) -> Iterator[Fault]:
    """Yield what is wrong with the answers to a category's questions."""
    known = {question.code for question in category.questions}
    for code in answers:
        if code not in known:
            yield Fault(("answers", code), "unknown", N_("Ce sujet ne pose pas cette question."), tuple(sorted(known)))
    for question in category.questions:
        answer = answers.get(question.code)
        if answer is None:
            if question.required:
                yield Fault(("answers", question.code), "missing", N_("Répondez à cette question."))
        elif (fault := _answer_fault(question, answer)) is not None:
            yield fault


def _answer_fault(question: Question, answer: str) -> Fault | None:
    path = ("answers", question.code)
    match question.kind:
        case "choice":
            allowed = tuple(choice.code for choice in question.choices)
            return (
                None if answer in allowed else Fault(path, "not_allowed", N_("Choisissez une des réponses proposées."), allowed)
            )
        case "yes_no":
            known = answer in ("yes", "no")
            return None if known else Fault(path, "not_allowed", N_("Répondez par oui ou par non."), ("yes", "no"))
        case "date":
            return None if _is_date(answer) else Fault(path, "no_date", N_("Cette date n’existe pas. Exemple : 2026-12-05."))
        case "number":
            return None if _NUMBER.fullmatch(answer) else Fault(path, "no_number", N_("Écrivez un nombre, en chiffres."))
        case "short_text" | "long_text":
            fits = len(answer) <= _LONGEST[question.kind]
            return None if fits else Fault(path, "too_long", N_("Cette réponse est trop longue."))


def _is_date(answer: str) -> bool:
    try:
        return len(answer) == 10 and date.fromisoformat(answer).isoformat() == answer
    except ValueError:
        return False
