"""A request as an agent reads it: the life with its texts opened, in the words of the organisation. Plain values."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.router.domain.life import Entry, Life, What
from shared.events.content import AgentAct, Content, UsagerMessage
from shared.organisation import Authority, Category, Question
from shared.vault.seal import RequestKey, opened

_FROM_USAGER = ("replied", "reopened")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history. `agent` is who did it, when an agent did; `text` what was written."""

    at: datetime
    what: What
    version: int
    service: str
    agent: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the usager to a question of the category. A yes or no, and a date, are left to the page's language."""

    label: str
    value: str | bool | date


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a page shows. `content` is None when nobody can read it any more.

    `left_seconds` is the working time left until the announced instant, negative when it is past; None once somebody has
    taken the request in charge or nobody needs to.
    """

    request_id: UUID
    authority: Authority
    life: Life
    content: Content | None
    category: str
    answers: tuple[Answer, ...]
    lines: tuple[Line, ...]
    left_seconds: int | None

    @property
    def service(self) -> str:
        """The name of the service that owns it, or had it last."""
        return service_name(self.authority, self.life.service)

    @property
    def taken(self) -> Line | None:
        """The last time that somebody took it in charge."""
        return next((line for line in reversed(self.lines) if line.what == "taken_in_charge"), None)

    def since(self, version: int) -> tuple[Line, ...]:
        """What happened after a version was seen."""
        return tuple(line for line in self.lines if line.version > version)


def open_sheet(request_id: UUID, life: Life, key: RequestKey | None, authority: Authority, now: datetime) -> Sheet:
    """Return the sheet of a request; `key` is None when it was destroyed."""
    content = opened(key, request_id, life.sealed, Content)
    category = authority.find_category(life.category)
    return Sheet(
        request_id=request_id,
        authority=authority,
        life=life,
        content=content,
        category=category.name if category else (life.category or ""),
        answers=tuple(_answer(category, code, value) for code, value in content.answers.items()) if content else (),
        lines=tuple(_line(entry, place + 1, key, request_id, authority) for place, entry in enumerate(life.history)),
        left_seconds=_left_seconds(life, authority, now),
    )


def service_name(authority: Authority, code: str | None) -> str:
    """Return the name of a service, its code when it left the organisation, nothing when there is none."""
    service = authority.find_service(code)
    return service.full_name if service else (code or "")


def _left_seconds(life: Life, authority: Authority, now: datetime) -> int | None:
    if life.status != "assigned":
        return None
    calendar = authority.calendar_of((authority.find_service(life.service) or authority.front_desk_service).code)
    return calendar.elapsed(now, life.due_at) if now <= life.due_at else -calendar.elapsed(life.due_at, now)


def _line(entry: Entry, version: int, key: RequestKey | None, request_id: UUID, authority: Authority) -> Line:
    service = service_name(authority, entry.service)
    if entry.what in _FROM_USAGER:
        message = opened(key, request_id, entry.sealed, UsagerMessage)
        return Line(entry.at, entry.what, version, service, text=message.text if message else None)
    act = opened(key, request_id, entry.sealed, AgentAct)
    return Line(entry.at, entry.what, version, service, act.agent if act else None, act.text if act else None)


def _answer(category: Category | None, code: str, value: str) -> Answer:
    question = category.question(code) if category else None
    return Answer(question.label, _value(question, value)) if question else Answer(code, value)


def _value(question: Question, value: str) -> str | bool | date:
    match question.kind:
        case "choice":
            return next((choice.label for choice in question.choices if choice.code == value), value)
        case "yes_no" if value in ("yes", "no"):
            return value == "yes"
        case "date":
            try:
                return date.fromisoformat(value)
            except ValueError:
                return value
        case _:
            return value
