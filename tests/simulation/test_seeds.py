"""Two thousand towns: no invariant breaks, and nothing that can happen was left out (`python -m tests.proof simulation`)."""

import os
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from services.notifier.sender import Sender
from shared.delivery.core import Core
from shared.delivery.run import Run
from shared.delivery.values import Input, Result
from tests.judge import checker
from tests.simulation import proof, story
from tests.simulation.agents import Agents
from tests.simulation.digest import digest
from tests.simulation.ending import play, what_is_left
from tests.simulation.run import run
from tests.simulation.settings import SHORT_SEEDS, Settings
from tests.simulation.story import tell
from tests.simulation.world import World

pytestmark = pytest.mark.timeout(900)


@pytest.mark.slow
@pytest.mark.patient
def test_no_seed_breaks_an_invariant() -> None:
    tally = proof.seeds(proof.FIRST_SEED, SHORT_SEEDS)
    assert not tally.broken, "\n\n".join(proof.stories(tally, most=2))
    assert tally.missing() == []


def test_a_seed_is_the_same_in_every_process() -> None:
    """Whatever strings hash to in a process: no order of a set has a say in the log, the tables, the mails."""
    world = run(Settings.of(7), check=False).world
    assert len(world.happened) > 10, "a seed without faults says little"
    asked = (sys.executable, "-m", "tests.simulation.digest", "7")
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        told = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True)
        assert told.stdout.strip() == digest(world)


def test_a_town_without_faults_comes_to_rest() -> None:
    outcome = run(Settings(3, requests=40, strength=0, thorough=True))
    assert outcome.broken == []
    refused = {("notifier", "letter.failed"), ("router", "delivery.parked")}  # bad addresses, commands for strangers
    assert outcome.world.told.keys() <= refused, "an alarm, and no fault"
    assert not outcome.world.happened
    assert len(outcome.world.requests) == 40


def test_where_nothing_breaks_no_mail_comes_twice() -> None:
    for seed in range(1, 11):
        outcome = run(Settings(seed, requests=20, strength=0))
        times = Counter(mail.message_id for mail in outcome.world.mail.mails)
        assert times and set(times.values()) == {1}
        assert not outcome.world.mail.unnoted
        assert outcome.broken == []


def test_a_sender_that_forgets_an_outcome_is_caught_where_nothing_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    apply, forgotten = Sender._apply, 0

    async def forgetful(self: Sender, store: Any, outcomes: Any) -> None:
        nonlocal forgotten
        if forgotten < 20:  # of ever more, it would send for ever
            outcomes.told, forgotten = outcomes.told[:-1], forgotten + 1
        await apply(self, store, outcomes)

    monkeypatch.setattr(Sender, "_apply", forgetful)
    for strength in (0.0, 1.0):
        forgotten = 0
        broken = run(Settings(3, requests=10, strength=strength)).broken
        assert any(line.startswith("9 duplicates: ") for line in broken), broken


def test_a_core_that_forgets_the_sequence_is_caught_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a core that takes whatever comes, a seed fails, and a person can read why."""

    def careless(self: Core[object], going: Run[object], one: Input, context_for: object) -> Result[object]:
        result = self._try(going, one, context_for)  # type: ignore[arg-type]  # handed on
        if one.topic is not None and one.sequence is not None:
            going.seen[self._place[one.topic]] = one.sequence
        return result

    monkeypatch.setattr(Core, "_take", careless)
    # not in seed 1: there it parks for minutes
    settings = next(settings for settings in map(Settings.of, range(2, 20)) if run(settings).broken)
    told = tell(settings, run(settings).broken)
    assert f"make proof NAME=simulation SEED={settings.seed}" in told
    assert "fault" in told
    assert len(told.splitlines()) < 90


def test_what_nobody_caught_is_told_as_a_story_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Agents, "read", lambda *_: 1 // 0)
    settings = Settings(1, requests=5)
    told = tell(settings, run(settings).broken)
    assert "0 raised: ZeroDivisionError" in told
    assert "1 of 5 usagers, 0 faults" in told


def test_what_only_a_thorough_look_finds_is_made_small_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "THOROUGH", (lambda _evidence, history: [f"6 due: {one}" for one in history.accepted],))
    settings = Settings(1, requests=5, thorough=True)
    assert "the least that fails alike: 1 of 5 usagers, 0 faults" in tell(settings, run(settings).broken)


def test_what_could_not_be_made_small_is_not_called_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "CHECKS", (lambda _evidence, history: [f"1 lost: {one}" for one in history.accepted],))
    monkeypatch.setattr(story, "MOST_RUNS", 3)
    settings = Settings(1, requests=5)
    assert "what fails alike, as small as 3 runs could make it: " in tell(settings, run(settings).broken)


def test_a_lock_that_nobody_gives_up_keeps_a_town_from_rest() -> None:
    world = World(Settings(1, requests=2, strength=0))
    play(world)
    assert what_is_left(world) == ""
    world.groups["sla"].tables.locks.grab(world.groups["sla"].processes[0].pool.acquire(), "a row")
    assert what_is_left(world) == "sla has 1 rows locked, such as a row"
