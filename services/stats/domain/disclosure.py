"""Disclosure control of one column of a table that is shown with its total: which cells stay hidden.

A small cell must not be found by subtraction. Those who read the table know the total and the shown cells, so the sum of
the hidden ones; that a hidden one is not zero where zeros are shown; and a few bounds between columns (nobody takes in
charge more than was received). At worst they also know which of the hidden cells are small, since they know how this is
done. From that a cell can be narrowed down to an interval, exactly: `narrowed`. Large cells are hidden besides the small
ones until each small one may still be anything from 1 to 10.

They are chosen in an order that everybody knows and that has nothing to do with the figures: "the smallest of the others"
would itself tell something (the hidden one is not larger than the smallest one shown).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

THRESHOLD: Final = 11
"""From so many requests on a cell may be shown."""


def hide(
    cells: Mapping[str, int],
    *,
    order: Sequence[str],
    hidden_before: Collection[str] = (),
    fewest: Mapping[str, int] | None = None,
    most: Mapping[str, int] | None = None,
) -> frozenset[str] | None:
    """Return the codes of the cells to hide; None when nothing of the column may be shown, not even its total.

    order: every code of `cells`, those to hide first when more than the small ones has to be hidden.
    hidden_before: codes whose row is hidden in a column that bounds this one; hidden here too, zeros among them.
    fewest, most: what a reader knows that a cell is not less than, and what it cannot exceed.
    """
    if not any(cells.values()):
        return frozenset()
    for zeros_too in (False, True):  # many tiny cells are safe beside their total only if nobody knows which are zero
        hidden = {code for code, amount in cells.items() if _is_small(amount, zeros_too) or code in hidden_before}
        least = {code: 0 if zeros_too or code in hidden_before else 1 for code in cells}
        if fewest is not None:
            least = {code: max(low, fewest.get(code, 0)) for code, low in least.items()}
        candidates = [code for code in order if code not in hidden and cells.get(code, 0) > 0]
        while hidden and not _safe(cells, hidden, least, most):
            if not candidates:
                break
            hidden.add(candidates.pop(0))
        else:
            return frozenset(hidden)
    return None


def _is_small(amount: int, zeros_too: bool) -> bool:
    return amount < THRESHOLD and (amount > 0 or zeros_too)


def _safe(cells: Mapping[str, int], hidden: Collection[str], least: Mapping[str, int], most: Mapping[str, int] | None) -> bool:
    """Tell whether each small cell may be any number from 1 to 10, for all that a reader can tell who knows which are small."""
    rest = sum(cells[code] for code in hidden)
    bounds = {code: _bounds(cells[code], least[code], most[code] if most else rest) for code in hidden}
    intervals = narrowed(rest, bounds)
    wide = all(intervals[code][1] - intervals[code][0] >= THRESHOLD - 2 for code in hidden if cells[code] < THRESHOLD)
    return wide and rest >= THRESHOLD


def _bounds(amount: int, least: int, most: int) -> tuple[int, int]:
    return (least, min(THRESHOLD - 1, most)) if amount < THRESHOLD else (max(THRESHOLD, least), most)


def narrowed(rest: int, bounds: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Return the interval of each hidden cell, given their sum and what is known of each; every value in it is possible."""
    lows, highs = sum(low for low, _ in bounds.values()), sum(high for _, high in bounds.values())
    return {code: (max(low, rest - (highs - high)), min(high, rest - (lows - low))) for code, (low, high) in bounds.items()}
