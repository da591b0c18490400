"""What the figures of one fault at a time are made of."""

from tests.chaos.resilience import slowest_seconds


def test_a_neighbour_of_poison_that_is_not_assigned_yet_counts_as_the_slowest() -> None:
    assert slowest_seconds([0.1, 0.4], count=2) == 0.4
    assert slowest_seconds([0.1, None], count=2) == 60
    assert slowest_seconds([0.1], count=2) == 60
    assert slowest_seconds([], count=0) == 60, "without a neighbour nothing is proven"
