"""What a seed is run with: how many requests, how strong the faults, and what is left out to find the least that fails."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from tests.simulation.faults import Fault
from tests.simulation.scheduler import HOUR, MILLISECOND, MINUTE, SECOND

TURNS_OF_THE_CLOCK: Final = (
    datetime(2025, 3, 30, tzinfo=UTC),
    datetime(2025, 10, 26, tzinfo=UTC),
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2027, 3, 28, tzinfo=UTC),
)
DAYS: Final = 1000
"""The days on which a seed may begin, from 2025-01-02: the checker's own list of holidays ends with 2027."""
SHORT_SEEDS: Final = 2_000
"""Seeds 1 to this one are the short form's."""
SMALL: Final = (5, 8, 10, 12, 15, 20, 30)
"""How many requests a town of the short form has: two thousand of them in about a minute."""
LARGE: Final = (40, 60, 100, 130, 180, 250)
"""How many one of a later seed has: 10,000 seeds make a million requests."""
THOROUGH_EVERY: Final = 10
"""Every so many seeds the checker looks at everything."""
HOLIDAYS: Final = (
    datetime(2025, 12, 24, tzinfo=UTC),
    datetime(2026, 4, 6, tzinfo=UTC),
    datetime(2026, 5, 14, tzinfo=UTC),
    datetime(2026, 7, 13, tzinfo=UTC),
    datetime(2026, 12, 31, tzinfo=UTC),
)


@dataclass(frozen=True)
class Settings:
    """`strength`: 0 for no faults, 1 for the usual number of them. `without`: faults by number. `usagers`: None for all.

    `thorough`: whether the checker looks at everything at the end, also at what takes long.
    """

    seed: int
    requests: int = 25
    strength: float = 1.0
    commands: float = 0.3
    copies: tuple[int, ...] = (1, 2, 2, 3)
    spread: int | None = None
    latency: int | None = None
    without: frozenset[int] = frozenset()
    usagers: frozenset[int] | None = None
    thorough: bool = False

    @classmethod
    def of(cls, seed: int) -> "Settings":
        """Return what a seed is run with wherever it is run: small towns find most, large ones, from seed 2,001 on, the rest."""
        size = Random(f"{seed}/size").choice(SMALL if seed <= SHORT_SEEDS else LARGE)
        return cls(seed, requests=size, thorough=seed % THOROUGH_EVERY == 0)

    def wants(self, fault: Fault) -> bool:
        """Tell whether a planned fault is to happen."""
        return fault.number not in self.without

    def has_usager(self, number: int) -> bool:
        """Tell whether somebody acts."""
        return self.usagers is None or number in self.usagers

    def start(self, random: Random) -> datetime:
        """Draw when it begins: any day of nearly three years, or shortly before a turn of the clock or a holiday."""
        kind = random.random()
        if kind < 0.25:
            day = random.choice(TURNS_OF_THE_CLOCK) - timedelta(hours=random.randint(0, 60))
        elif kind < 0.5:
            day = random.choice(HOLIDAYS) - timedelta(hours=random.randint(0, 60))
        else:
            day = datetime(2025, 1, 2, tzinfo=UTC) + timedelta(hours=random.randint(0, DAYS * 24))
        return day + timedelta(microseconds=random.randint(0, HOUR))

    def temper(self, random: Random) -> tuple[int, int, float, float, float]:
        """Draw how fast requests come, how slow word spreads, how often a step waits, and how forgetful agents are."""
        spread = random.choice((MINUTE, 10 * MINUTE, 2 * HOUR, 10 * HOUR))
        latency = random.choice((MILLISECOND, 20 * MILLISECOND, SECOND, 20 * SECOND, MINUTE, 10 * MINUTE))
        slow = random.choice((0.02, 0.1, 0.3)) if self.strength else 0.0
        share = random.choice((1.0, 0.7, 0.4)) if self.strength else 1.0
        forgetful = random.choice((0.05, 0.2, 0.6))
        return self.spread or spread, self.latency or latency, slow, share, forgetful
