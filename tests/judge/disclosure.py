"""What disclosure control has to leave of a month, from the words of services/stats/README.md alone.

A number under 11 is hidden. With it goes one large number after the other, from the end of the public list, until each hidden
small one may be anything from 1 to 10, for a reader who knows the total, and how this is done. Where that never comes about,
zeros are hidden like small numbers; where it does not even then, the column is hidden with its total, in both tables. What is
hidden of the received is hidden in every column: by channel nobody can have more of anything than was received.
"""

from collections.abc import Collection, Mapping
from typing import Final, TypeAlias

SMALL: Final = 11
"""From so many requests on a number may be shown."""
COLUMNS: Final = ("received", "taken_in_charge", "escalated_1", "transferred")
"""The columns of numbers, by the measures that they show; the first is decided first."""
CHANNELS: Final = (
    *("web", "email", "messenger", "instagram", "mastodon"),
    *("procedure", "app", "phone", "desk", "adapter"),
)
"""In their fixed order."""
Column: TypeAlias = Mapping[str, int]
"""The true numbers of a column, by service or by channel, in public order."""
Hidden: TypeAlias = tuple[frozenset[str], frozenset[str]] | None
"""What is hidden of a column by service, and by channel; None: all of it, the total too."""


def hidden_of(services: Mapping[str, Column], channels: Mapping[str, Column]) -> dict[str, Hidden]:
    """Return what has to be hidden of each column, and no more: whatever else there is has to be shown."""
    hidden: dict[str, Hidden] = {}
    for column in COLUMNS:
        if column == "received":
            both = _hidden(services[column]), _hidden(channels[column])
        elif (known := hidden["received"]) is None:
            hidden[column] = None
            continue
        else:
            received = channels["received"]
            rest = sum(received[code] for code in known[1])
            most = {code: rest if code in known[1] else amount for code, amount in received.items()}
            both = _hidden(services[column], known[0]), _hidden(channels[column], known[1], most)
        hidden[column] = None if both[0] is None or both[1] is None else (both[0], both[1])
    return hidden


def _hidden(column: Column, gone: Collection[str] = (), most: Column | None = None) -> frozenset[str] | None:
    """Return what is hidden of a column of one table. `gone`: lines hidden in the received; `most`: what nobody has more of."""
    if not any(column.values()):
        return frozenset()
    large = [code for code in reversed(list(column)) if column[code] >= SMALL and code not in gone]
    for least in (1, 0):
        small = {code for code, amount in column.items() if code in gone or least <= amount < SMALL}
        lows = {code: SMALL if column[code] >= SMALL else 0 if code in gone else least for code in column}
        for count in range(len(large) + 1):
            hidden = small.union(large[:count])
            if not hidden or _is_vague(column, hidden, lows, most):
                return frozenset(hidden)
    return None


def _is_vague(column: Column, hidden: Collection[str], lows: Column, most: Column | None) -> bool:
    """Whether each small number among the hidden may be ten different ones at least, for who knows what they come to."""
    rest = sum(column[code] for code in hidden)
    low = {code: lows[code] for code in hidden}
    high = {code: most[code] if most else rest for code in hidden}
    high |= {code: min(SMALL - 1, high[code]) for code in hidden if column[code] < SMALL}
    for code in hidden:
        lowest = max(low[code], rest - sum(high.values()) + high[code])
        highest = min(high[code], rest - sum(low.values()) + low[code])
        if column[code] < SMALL and highest - lowest < SMALL - 2:
            return False
    return rest >= SMALL
