"""The figures in their short form, with floors: a machine that is shared may miss a goal, a change that halves one may not pass.

The goals themselves are checked by `python -m tests.proof <name>`, by hand, on a quiet machine (docs/performance.md).
"""

from pathlib import Path

import pytest

from tests.proof import fold_speed, intake_speed

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(240)]


async def test_the_fold_stays_near_a_bare_loop(run_folder: Path) -> None:
    bare, naive = await fold_speed.measure(run_folder / "fold", rounds=3, count=8_000, naive_count=160)
    assert bare.value >= 0.3
    assert naive.value >= 12


async def test_intake_stays_near_a_bare_server(run_folder: Path) -> None:
    bare, naive, _ = await intake_speed.measure(run_folder / "intake", rounds=3, count=2_000)
    assert bare.value >= 0.4
    assert naive.value >= 2
