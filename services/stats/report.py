"""The statistics of a period, as the page and the API give them."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final, get_args

from pydantic import BaseModel, ConfigDict, Field

from services.stats.domain import publication
from services.stats.domain.counted import Month
from services.stats.domain.disclosure import THRESHOLD
from services.stats.domain.period import Period, months_of
from services.stats.domain.publication import Published, Table, add_up, publish
from shared.events.requests import Channel
from shared.organisation import Authority

CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)


class Amount(BaseModel):
    """A number of requests, where it may be shown."""

    model_config = ConfigDict(from_attributes=True)

    amount: int | None = Field(description="null: hidden, see `threshold`", examples=[128])
    at_least: bool = Field(description="true: months in which it is hidden are not in it; it is not less than this")


class Summary(BaseModel):
    """Requests received in the period, and what became of them so far."""

    model_config = ConfigDict(from_attributes=True)

    received: Amount
    taken_in_charge: Amount
    escalated: Amount = Field(description="requests whose announced delay ran out and that were told to the first level")
    transferred: Amount = Field(description="requests that the service passed on to another one")
    within_percent: int | None = Field(
        description="of those taken in charge and those whose announced delay ran out while nobody took them in charge: taken in "
        "charge within the delay; rounded down. null: there are none, or too few to show it (`within_hidden`)"
    )
    within_hidden: bool = Field(description="true: the share is hidden, as a number would be, see `threshold`")
    median_minutes: int | None = Field(description="working time until taken in charge: half of them took no longer")
    ninth_decile_minutes: int | None = Field(description="working time until taken in charge: nine of ten took no longer")


class Line(Summary):
    """The summary of one service or channel. An empty code: no service owned these yet."""

    code: str


class Statistics(BaseModel):
    """What an authority shows of a period of whole months, by the month in which requests were received."""

    authority: str
    first_month: date
    last_month: date
    threshold: int = Field(
        THRESHOLD,
        description="Cells of one month that are under this number are hidden, and others with them where a hidden one "
        "could be found by subtraction from the total. Longer periods add up what their months show.",
    )
    total: Summary
    services: list[Line]
    channels: list[Line]


def statistics_of(authority: Authority, period: Period, months: dict[date, Month]) -> Statistics:
    """Return what may be shown. Services come in the order of the public list, channels in a fixed one: no ranking."""
    services = [service.code for service in authority.services_public()]
    published = [publish(months.get(month, Month()), services=services, channels=CHANNELS) for month in months_of(period)]
    return Statistics(
        authority=authority.code,
        first_month=period.first,
        last_month=period.last,
        total=Summary.model_validate(add_up([one.services.total for one in published])),
        services=_lines(published, lambda one: one.services),
        channels=[line for line in _lines(published, lambda one: one.channels) if line.received.amount != 0],
    )


def _lines(published: Sequence[Published], table_of: Callable[[Published], Table]) -> list[Line]:
    tables = [table_of(one) for one in published]
    codes = list(dict.fromkeys(code for table in tables for code in table.lines))
    return [_line(code, add_up([table.lines[code] for table in tables if code in table.lines])) for code in codes]


def _line(code: str, summary: publication.Summary) -> Line:
    return Line(code=code, **Summary.model_validate(summary).model_dump())
