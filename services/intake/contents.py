"""What the usager gave, as rows of a page: their answers in the words of the form, and how to reach them."""

from datetime import date

from services.intake.site import Site
from shared.events.content import Content
from shared.organisation.category import Category, Question
from shared.pages.brand import Frame
from shared.pages.formats import local_date
from shared.pages.problem import N_

Rows = list[tuple[str, str]]


def content_rows(site: Site, frame: Frame, content: Content, category: Category | None, *, timezone: str) -> Rows:
    """Return label and value of everything given besides the text."""
    rows: Rows = []
    for code, answer in content.answers.items():
        question = category.question(code) if category else None
        if question is None:
            rows.append((code, answer))
        else:
            rows.append((question.label, _answer(site, frame, question, answer, timezone=timezone)))
    told = ((N_("Nom"), content.name), (N_("Courriel"), content.email), (N_("Téléphone"), content.phone))
    return rows + [(site.say(frame, label), value) for label, value in told if value]


def _answer(site: Site, frame: Frame, question: Question, answer: str, *, timezone: str) -> str:
    match question.kind:
        case "choice":
            return next((choice.label for choice in question.choices if choice.code == answer), answer)
        case "yes_no":
            return site.say(frame, N_("Oui") if answer == "yes" else N_("Non"))
        case "date":
            try:
                return local_date(date.fromisoformat(answer), timezone, frame.language)
            except ValueError:
                return answer
        case _:
            return answer
