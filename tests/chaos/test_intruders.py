"""What the figures of records that nobody should write are made of."""

import time
from uuid import UUID

from tests.chaos.intruders import seconds_until_parked, slowest_seconds
from tests.chaos.town import READERS

_LATE = 0.3


def test_a_neighbour_of_poison_that_is_not_assigned_yet_counts_as_the_slowest() -> None:
    assert slowest_seconds([0.1, 0.4], count=2) == 0.4
    assert slowest_seconds([0.1, None], count=2) == 60
    assert slowest_seconds([0.1], count=2) == 60
    assert slowest_seconds([], count=0) == 60, "without a neighbour nothing is proven"


async def test_a_reader_that_sees_the_gap_late_or_never_is_told_from_the_others() -> None:
    since = time.monotonic()

    async def ask(statement: str, _request_id: UUID) -> int | None:
        late = "router." in statement and time.monotonic() - since < _LATE
        return None if late or "stats." in statement else 1

    took = await seconds_until_parked(ask, UUID(int=1), since=since, give_up_seconds=1.0)
    assert took.keys() == set(READERS)
    assert took["sla"] < _LATE <= took["router"] < 1
    assert took["stats"] == 1
