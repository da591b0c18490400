"""categories.yaml: what a request can be about (*motif*), and what must be asked then."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.organisation.fields import Code, ConfigurationModel, Label, Prose


class Choice(ConfigurationModel):
    """One answer that can be chosen."""

    code: Code
    label: Label


class Question(ConfigurationModel):
    """One field of the form, asked after the category is chosen."""

    code: Code
    label: Label
    kind: Literal["short_text", "long_text", "choice", "date", "number", "yes_no"]
    required: Annotated[bool, Field(strict=True)] = False
    hint: Label | None = None
    choices: tuple[Choice, ...] = ()

    @model_validator(mode="after")
    def _choices_fit_the_kind(self) -> Self:
        if self.kind == "choice" and len(self.choices) < 2:
            raise ValueError("a question of kind choice needs at least two choices")
        if self.kind != "choice" and self.choices:
            raise ValueError(f"a question of kind {self.kind} has no choices; write kind: choice")
        return self


class Silence(ConfigurationModel):
    """What no answer means after some months, and the text that says so (CRPA L231-1 to L231-5)."""

    effect: Literal["acceptance", "rejection"]
    months: Annotated[int, Field(strict=True, ge=1, le=12)] = 2
    legal_basis: Label


class Category(ConfigurationModel):
    """A *motif*. `demande`: in the sense of the CRPA: silence decides on it, and its refusal can be appealed."""

    code: Code
    name: Label
    services: Annotated[tuple[Code, ...], Field(min_length=1)]
    demande: Annotated[bool, Field(strict=True)]
    silence: Silence | None = None
    appeal: Prose | None = None
    questions: tuple[Question, ...] = ()

    @model_validator(mode="after")
    def _demande_says_what_silence_means(self) -> Self:
        if self.demande and (self.silence is None or self.appeal is None):
            raise ValueError("a demande needs silence and appeal: its receipt must state both (CRPA R112-5)")
        if not self.demande and (self.silence is not None or self.appeal is not None):
            raise ValueError("silence and appeal are for a demande only; set demande: true or take them out")
        return self

    def question(self, code: str) -> Question | None:
        """The question of that code, if this category asks it."""
        return next((question for question in self.questions if question.code == code), None)


class CategoriesFile(ConfigurationModel):
    """All categories, in the order of the forms."""

    categories: tuple[Category, ...]
