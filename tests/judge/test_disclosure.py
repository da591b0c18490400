"""The checker's rule of what may be shown, against what the statistics publish."""

from random import Random

import pytest

from services.stats.domain.counted import Month
from services.stats.domain.publication import publish
from tests.judge.disclosure import COLUMNS, SMALL, Hidden, hidden_of

SERVICES = ("s1", "s2", "s3", "s4")
CHANNELS = ("web", "phone", "desk")


def drawn(random: Random) -> Month:
    """Return a month of a few services and channels, with small numbers, large ones, and none."""
    month = Month()
    for _ in range(random.randint(0, 8)):
        service, channel, other = random.choice(SERVICES), random.choice(CHANNELS), random.choice(SERVICES)
        most = random.randint(0, random.choice((12, 40)))
        for column in COLUMNS:
            amount = most if column == "received" else random.randint(0, most)
            for counted, code in (
                (month.services, service if column == "received" else other),
                (month.channels, channel),
            ):
                amounts = counted.amounts.setdefault(column, {})
                amounts[code] = amounts.get(code, 0) + amount
    return month


@pytest.mark.parametrize("seed", range(5))
def test_the_statistics_hide_what_the_rule_hides_and_nothing_else(seed: int) -> None:
    random = Random(seed)
    for _ in range(400):
        month = drawn(random)
        published = publish(month, services=SERVICES, channels=CHANNELS)
        services, channels = (
            {column: counted.cells(column, codes) for column in COLUMNS}
            for counted, codes in ((month.services, SERVICES), (month.channels, CHANNELS))
        )
        for column, expected in hidden_of(services, channels).items():
            found: Hidden = None
            if published.services.total.amounts[column] is not None:
                by_service, by_channel = (
                    frozenset(code for code, line in table.lines.items() if line.amounts[column] is None)
                    for table in (published.services, published.channels)
                )
                found = by_service, by_channel
            assert found == expected, f"{column} of {services} and {channels}"


@pytest.mark.parametrize(
    ("received", "hidden"),
    [
        ({"s1": SMALL, "s2": 40, "s3": 0}, set()),
        ({"s1": 10, "s2": 10, "s3": 50}, {"s1", "s2", "s3"}),
        ({"s1": 50, "s2": 50, "s3": 10}, {"s2", "s3"}),
        ({"s1": 4, "s2": 4, "s3": 4, "s4": 90}, {"s1", "s2", "s3"}),
    ],
)
def test_as_much_is_hidden_as_leaves_each_small_number_open(received: dict[str, int], hidden: set[str]) -> None:
    services = {column: received if column == "received" else {} for column in COLUMNS}
    channels = {column: {"web": sum(received.values())} if column == "received" else {} for column in COLUMNS}
    assert hidden_of(services, channels)["received"] == (frozenset(hidden), frozenset())
