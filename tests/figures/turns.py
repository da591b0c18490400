"""Whose turn it is: what is measured in rounds does not always begin with the same way."""

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def in_turn(ways: Mapping[str, T], number: int) -> list[tuple[str, T]]:
    """Return the ways in the order of a round: it begins one further each time, so that being first or last favours nobody."""
    listed = list(ways.items())
    first = number % len(listed)
    return listed[first:] + listed[:first]
