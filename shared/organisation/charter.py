"""charter.yaml: the delays that the authority announces to its inhabitants, and keeps."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from shared.events.requests import Channel
from shared.organisation.fields import Code, ConfigurationModel, Label

PromiseKind = Literal["taking_charge"]


def _any_is_none(value: object) -> object:
    return None if value == "any" else value


_AnyIsNone = BeforeValidator(_any_is_none, json_schema_input_type=Literal["any"] | list[str])
Channels = Annotated[tuple[Channel, ...] | None, _AnyIsNone]
Codes = Annotated[tuple[Code, ...] | None, _AnyIsNone]


class PromiseRule(ConfigurationModel):
    """One line of the charter. The first rule that fits a request is the promise made to its usager.

    `working_hours` are hours of opening of the service in charge, not hours of the clock. The service is warned when
    `warn_at_percent` of them have passed; past the end, `ladder` is climbed. Channels, services and categories say whom
    the rule is for; left out, or "any" in the file, they are None: all of them.
    """

    code: Code
    kind: PromiseKind
    label: Label
    channels: Channels = None
    services: Codes = None
    categories: Codes = None
    working_hours: Annotated[int, Field(strict=True, ge=1, le=2000)]
    warn_at_percent: Annotated[int, Field(strict=True, ge=1, le=99)] = 75
    ladder: Code

    @property
    def working_seconds(self) -> int:
        """The delay in seconds of working time."""
        return self.working_hours * 3600

    @property
    def warn_after_seconds(self) -> int:
        """Working time after which the service is warned."""
        return self.working_seconds * self.warn_at_percent // 100

    def fits(self, *, channel: str, service: str, category: str | None) -> bool:
        """Whether this rule is for such a request. A rule for given categories never fits a request without one."""
        return (
            (self.channels is None or channel in self.channels)
            and (self.services is None or service in self.services)
            and (self.categories is None or category in self.categories)
        )


class UnownedRule(ConfigurationModel):
    """How long a request may be without owner (counted in the front desk's calendar) before `ladder` is climbed."""

    working_minutes: Annotated[int, Field(strict=True, ge=1, le=10_000)]
    ladder: Code

    @property
    def working_seconds(self) -> int:
        """The delay in seconds of working time."""
        return self.working_minutes * 60


class CharterFile(ConfigurationModel):
    """The charter: promises from the most particular to the one that fits everything, which is mandatory."""

    promises: Annotated[tuple[PromiseRule, ...], Field(min_length=1)]
    unowned: UnownedRule
