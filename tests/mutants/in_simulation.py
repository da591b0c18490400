"""Sixty seeds of the simulation: what a seeded bug has to break within seconds. Run by name; the seeds have their own tests."""

import pytest

from tests.simulation.run import run
from tests.simulation.settings import Settings

SEEDS = range(1, 61)


@pytest.mark.timeout(600)
def test_sixty_seeds_hold() -> None:
    for seed in SEEDS:
        broken = run(Settings.of(seed), thorough=seed % 10 == 0).broken
        assert not broken, f"seed {seed}:\n" + "\n".join(broken[:200])
