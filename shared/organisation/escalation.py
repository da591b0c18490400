"""escalations.yaml: who is told, one after the other, when a delay has run out."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.organisation.fields import Code, ConfigurationModel, Label


class Level(ConfigurationModel):
    """One rung: told `after_working_hours` of working time after the delay ran out (0: at once)."""

    level: Annotated[int, Field(strict=True, ge=1, le=9)]
    after_working_hours: Annotated[int, Field(strict=True, ge=0, le=1000)]
    tell: Literal["cover", "head_of_service", "general_management"]

    @property
    def after_working_seconds(self) -> int:
        """The wait in seconds of working time, from the instant when the promise broke."""
        return self.after_working_hours * 3600


class Ladder(ConfigurationModel):
    """Levels 1, 2, 3..., each later than the one before."""

    code: Code
    label: Label
    levels: Annotated[tuple[Level, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _levels_climb(self) -> Self:
        numbers = [level.level for level in self.levels]
        if numbers != list(range(1, len(numbers) + 1)):
            raise ValueError(f"levels must be numbered 1, 2, 3... in order, not {', '.join(map(str, numbers))}")
        waits = [level.after_working_hours for level in self.levels]
        if any(later <= sooner for sooner, later in pairwise(waits)):
            raise ValueError(f"each level must come later than the one before, not {', '.join(map(str, waits))} hours")
        return self


class EscalationsFile(ConfigurationModel):
    """All ladders that the charter names."""

    ladders: Annotated[tuple[Ladder, ...], Field(min_length=1)]
