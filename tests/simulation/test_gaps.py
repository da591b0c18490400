"""Lost events: whoever reads past one tells a gap; the last of a request and topic is missed when the next one comes."""

from collections import Counter

import pytest

from shared.delivery import core
from shared.delivery.run import Run
from shared.delivery.values import Input, Result
from tests.simulation.run import run
from tests.simulation.settings import Settings
from tests.simulation.story import kind_of
from tests.simulation.watch import GAP_NOT_SEEN

SEEDS = range(1, 40)
OUTCOMES = ("seen as a gap", "the last of its request", "published again before the next")


def test_a_gap_that_is_told_as_something_else_breaks_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a core that puts aside what comes too early, and says that it waits, somebody misses the word for a gap."""

    def wordless(going: Run[object], one: Input, expected: int) -> Result[object]:
        return going.park(one, "waiting", f"expected sequence {expected}, got {one.sequence}")

    monkeypatch.setattr(core, "_too_early", wordless)
    broken = (line for seed in SEEDS for line in run(Settings.of(seed)).broken)
    assert GAP_NOT_SEEN in map(kind_of, broken)


def test_each_lost_event_is_accounted_for() -> None:
    worlds = [run(Settings.of(seed), check=False).world for seed in SEEDS]
    told = sum((world.done for world in worlds), Counter[str]())
    assert all(told[f"lost event: {outcome}"] for outcome in OUTCOMES), told
    lost = sum(count for what, count in told.items() if what.startswith("lost event: "))
    assert lost == sum(world.happened["lost_event"] for world in worlds)
