"""The order in which the ways of a figure are measured."""

from tests.figures.turns import in_turn


def test_in_as_many_rounds_as_there_are_ways_each_has_each_place_once() -> None:
    ways = {"ours": 1, "bare": 2, "naive": 3}
    rounds = [in_turn(ways, number) for number in range(1, 4)]
    assert all(dict(one) == ways for one in rounds)
    assert all({one[place][0] for one in rounds} == ways.keys() for place in range(3))
