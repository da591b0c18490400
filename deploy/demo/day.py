"""The shape of deploy/demo/requests.yaml, and what its requests must agree on with the configuration."""

from collections.abc import Iterator
from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from ruamel.yaml import YAML

from shared.organisation import Installation, Question
from shared.working_time import public_holidays

_TUESDAY = 1
Act = Literal["transfer", "take_charge", "answer", "resolve"]
ORDER: tuple[Act, ...] = ("transfer", "take_charge", "answer", "resolve")


class DemoRequest(BaseModel):
    """One request, and what an agent does about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: time
    authority: str
    service: str | None
    category: str | None
    name: str | None
    email: Annotated[str, Field(pattern=r"^[a-z0-9._-]+@[a-z0-9-]+\.example$")]
    language: Literal["fr", "en"] = "fr"
    answers: dict[str, str] = {}
    text: Annotated[str, Field(min_length=10, max_length=5000)]
    agent: tuple[Act, ...]
    answer: Annotated[str, Field(min_length=10)] | None = None
    transfer: str | None = None

    @model_validator(mode="after")
    def _acts_have_what_they_need(self) -> Self:
        if list(self.agent) != [act for act in ORDER if act in self.agent]:
            raise ValueError(f"acts out of order or twice: {self.agent}")
        if ("answer" in self.agent) != (self.answer is not None):
            raise ValueError("an answer needs the act answer, and the other way round")
        if ("transfer" in self.agent) != (self.transfer is not None):
            raise ValueError("a transfer needs the act transfer, and the other way round")
        return self


class DemoDay(BaseModel):
    """The day, in the order of its hours."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests: tuple[DemoRequest, ...]


def read_demo_day(path: Path) -> DemoDay:
    return DemoDay.model_validate(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))


def next_working_tuesday(today: date) -> date:
    """Return the next Tuesday, today included, that is no public holiday: the services of the day are open."""
    day = today + timedelta(days=(_TUESDAY - today.weekday()) % 7)
    while day in public_holidays("metropole", day.year):
        day += timedelta(weeks=1)
    return day


def disagreements(request: DemoRequest, installation: Installation) -> Iterator[str]:
    """Whatever the forms would refuse, or show wrongly."""
    authority = installation.authority(request.authority)
    if request.transfer is not None and authority.find_service(request.transfer) is None:
        yield f"transfers to {request.transfer}, which does not exist"
    if request.category is None:
        if request.answers:
            yield "answers without a category"
        return
    category = authority.category(request.category)
    if request.service not in category.services:
        yield f"{request.service} does not offer {category.code}"
    for code in request.answers:
        if category.question(code) is None:
            yield f"{category.code} does not ask {code}"
    for question in category.questions:
        yield from _wrong_answer(question, request.answers.get(question.code))


def _wrong_answer(question: Question, given: str | None) -> Iterator[str]:
    if given is None:
        if question.required:
            yield f"{question.code} is required"
        return
    match question.kind:
        case "date":
            date.fromisoformat(given)
        case "number" if not given.isdigit():
            yield f"{question.code}: {given!r} is no number"
        case "yes_no" if given not in ("yes", "no"):
            yield f"{question.code}: {given!r} is neither yes nor no"
        case "choice" if given not in {choice.code for choice in question.choices}:
            yield f"{question.code}: {given!r} is no choice"
        case _:
            pass
