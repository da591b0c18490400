"""A hundred seeds of the simulation: what a seeded bug has to break within seconds. Run by name; other tests run more."""

import pytest

from tests.simulation.run import run
from tests.simulation.settings import Settings

SEEDS = range(1, 101)


@pytest.mark.timeout(600)
def test_a_hundred_seeds_hold() -> None:
    for seed in SEEDS:
        broken = run(Settings.of(seed)).broken
        assert not broken, f"seed {seed}:\n" + "\n".join(broken[:200])
