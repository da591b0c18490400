"""Disclosure control of one column of a table that is shown with its total: which cells stay hidden.

A hidden cell must not be found by subtraction. Those who read the table know the total, the shown cells, that a hidden one
is not zero (zeros are shown), and a few bounds between columns (nobody takes in charge more than was received). From that
a hidden cell can be narrowed down to an interval, exactly: `narrowed`. Enough is hidden that each interval is at least
`THRESHOLD` values wide, so that it cannot even be told whether the cell is below the threshold.

What is hidden beyond the small cells is chosen in an order that everybody knows and that has nothing to do with the
figures: "the smallest of the others" would itself tell something (the hidden one is not larger than the smallest shown).
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
    most: Mapping[str, int] | None = None,
) -> frozenset[str] | None:
    """Return the codes of the cells to hide; None when nothing of the column may be shown, not even its total.

    order: every code of `cells`, those to hide first when more than the small ones has to be hidden.
    hidden_before: codes whose row is hidden in a column that bounds this one; hidden here too, zeros among them.
    most: what a reader knows that a cell cannot exceed.
    """
    if not any(cells.values()):
        return frozenset()
    hidden = {code for code, amount in cells.items() if 0 < amount < THRESHOLD or code in hidden_before}
    candidates = iter([code for code in order if code not in hidden and cells[code] > 0])
    while hidden and not _safe(cells, hidden, hidden_before, most):
        following = next(candidates, None)
        if following is None:
            return None
        hidden.add(following)
    return frozenset(hidden)


def _safe(cells: Mapping[str, int], hidden: set[str], hidden_before: Collection[str], most: Mapping[str, int] | None) -> bool:
    least = {code: 0 if code in hidden_before else 1 for code in hidden}
    rest = sum(cells[code] for code in hidden)
    bounds = {code: (least[code], most[code] if most else rest) for code in hidden}
    return all(high - low >= THRESHOLD - 1 for low, high in narrowed(rest, bounds).values())


def narrowed(rest: int, bounds: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Return the interval of each hidden cell, given their sum and what is known of each; every value in it is possible."""
    lows, highs = sum(low for low, _ in bounds.values()), sum(high for _, high in bounds.values())
    return {code: (max(low, rest - (highs - high)), min(high, rest - (lows - low))) for code, (low, high) in bounds.items()}
