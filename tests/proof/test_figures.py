"""The figures in their short form, with floors: a machine that is shared may miss a goal, a change that halves one may not pass.

The goals themselves are checked by `python -m tests.proof <name>`, by hand, on a quiet machine (docs/performance.md).
"""

from pathlib import Path

import pytest

from tests.proof import (
    deadline_speed,
    fold_speed,
    footprint,
    growth,
    intake_speed,
    latency,
    mail_speed,
    outbox_speed,
    statistics_speed,
)
from tests.proof.report import median

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(240)]


async def test_intake_stays_near_a_bare_server(run_folder: Path) -> None:
    bare, naive, _ = await intake_speed.measure(run_folder / "intake", rounds=3, count=1_500)
    assert bare.value >= 0.4
    assert naive.value >= 2


async def test_every_request_reaches_its_agent_soon(run_folder: Path) -> None:
    found = await latency.measure(run_folder / "latency", (20, 200), rounds=1, seconds=3)
    assert latency.percentile(found[20][0], 0.5) <= 1000  # that each arrived, once, is what is proven here


async def test_the_fold_stays_near_a_bare_loop(run_folder: Path) -> None:
    bare, naive = await fold_speed.measure(run_folder / "fold", rounds=3, count=8_000, naive_count=160)
    assert bare.value >= 0.3
    assert naive.value >= 12


async def test_deadlines_fire_near_the_speed_of_the_writes_and_looks_stay_flat(run_folder: Path) -> None:
    bare, look, flat = await deadline_speed.measure(run_folder / "sla", rounds=3, count=3_000, levels=(10_000, 100_000))
    assert bare.value >= 0.25
    assert look.value <= 15
    assert flat.value <= 6


async def test_statistics_stay_near_a_bare_loop(run_folder: Path) -> None:
    (bare,) = await statistics_speed.measure(run_folder / "stats", rounds=3, requests=3_000, seed=8)
    assert bare.value >= 0.3


async def test_the_outbox_drains_near_the_speed_of_a_bare_relay(run_folder: Path) -> None:
    bare, p99 = await outbox_speed.measure(run_folder / "outbox", rounds=3, backlog=8_000, seconds=1)
    assert bare.value >= 0.35
    assert p99.value <= 2000


async def test_mails_go_out_near_the_speed_of_kept_connections(run_folder: Path) -> None:
    rate, cpu = await mail_speed.measure(run_folder / "mail", rounds=3, count=1_000)
    assert rate.value / median(rate.rounds["kept"]) >= 0.2
    assert cpu.value <= 1.5


async def test_a_service_is_small_and_rests_when_nothing_comes(run_folder: Path) -> None:
    memory, percent, trips = await footprint.measure(run_folder / "idle", idle_seconds=4, load_seconds=2, rates=(300,))
    assert memory.value <= 110
    assert percent.value <= 3
    assert trips.value <= 12


async def test_open_requests_cost_little(run_folder: Path) -> None:
    figures = await growth.measure(run_folder / "growth", rounds=1, count=12_000, levels=(20_000,))
    assert min(figure.value for figure in figures) >= 0.3
