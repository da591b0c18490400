"""One seed of the chaos, on real servers: which invariants a seeded bug breaks. Run by name; the chaos has its own tests."""

from pathlib import Path

import pytest

from tests.chaos.seed import Form, run_seed

SEED = 12
"""Its plan has the router die right after it has read what it is to send."""
FORM = Form("short", rate=12.0, seconds=20.0, faults=20)


@pytest.mark.timeout(600)
async def test_a_seed_of_chaos_holds(run_folder: Path) -> None:
    outcome = await run_seed(run_folder / "chaos", SEED, FORM)
    broken = [line for line in outcome.violations if line[0].isdigit() or line.startswith("acts: ")]
    assert not broken, "\n".join(broken[:200])
