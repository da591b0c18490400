"""The form of the chaos that CI runs, seed by seed: what `python -m tests.proof chaos --short` does."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, get_args
from uuid import UUID

import pytest

from shared.delivery.points import POINTS
from tests.chaos.alarms import ALARMS
from tests.chaos.chaos import ASKED_IN_CI, LONG, SHORT, figures, proven_nothing, seeds_of
from tests.chaos.faults import ASKED, KINDS
from tests.chaos.observer import Sample
from tests.chaos.outcome import Outcome
from tests.chaos.plan import DRAWN, with_room
from tests.chaos.reached import first_of
from tests.chaos.seed import Form, left_out, never_handed_over, run_seed
from tests.chaos.stage import Fault
from tests.chaos.town import ENDS
from tests.judge.evidence import Act, Evidence, History, Record, What
from tests.judge.evidence import Outcome as Told


@pytest.fixture(scope="module")
def outcomes() -> dict[int, Outcome]:
    """What became of the seeds that ran, by their numbers."""
    return {}


@pytest.mark.faults
@pytest.mark.timed
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", seeds_of(SHORT))
async def test_nothing_is_lost_and_nothing_done_twice(run_folder: Path, outcomes: dict[int, Outcome], seed: int) -> None:
    outcome = outcomes[seed] = await run_seed(run_folder / f"chaos-{seed}", seed, SHORT)
    print(outcome.line())
    assert outcome.violations == []
    assert outcome.missed_points == [], "a point that nobody comes by is a defect of the plan"


@pytest.mark.faults
@pytest.mark.timed
def test_over_all_seeds_each_kind_of_fault_came_and_met_somebody(outcomes: dict[int, Outcome]) -> None:
    assert _unmet(outcomes.values()) == []


def _unmet(outcomes: Iterable[Outcome]) -> list[str]:
    return [f"{one.what}: {one.value:g}, goal {one.goal}" for one in figures(SHORT, list(outcomes), in_part=False) if not one.met]


def test_a_kind_of_fault_that_met_nobody_in_any_seed_is_unmet_and_so_is_a_seed_that_did_not_run() -> None:
    def outcome(seed: int, unfelt: str, *, unknown: int = 1) -> Outcome:
        plan = SHORT.plan(seed)
        faults = Counter(one.kind for one in plan)
        points = [one.point for one in plan]
        told = Outcome(seed, "short", faults=faults, unfelt={unfelt: faults[unfelt]}, points=points, unknown=unknown)
        told.alarms_judged = dict.fromkeys(ASKED_IN_CI, 1)
        return told

    assert _unmet(outcome(seed, "smtp_slow") for seed in seeds_of(SHORT)) == []
    for kind in ("disk_full", "lock", "slow_statements", "zombie"):
        unmet = _unmet(outcome(seed, kind) for seed in seeds_of(SHORT))
        assert unmet == [f"kinds of faults that only met nobody, of the {len(ASKED)} of which that is known: {kind}: 1, goal any"]
    unmet = _unmet(outcome(seed, "", unknown=0) for seed in seeds_of(SHORT))
    assert unmet == ["posts of unknown outcome, 0 of them done: 0, goal >= 1"]
    assert "seeds of the short form: 2, goal = 3" in _unmet(outcome(seed, "") for seed in (1, 2))


def test_the_seeds_of_ci_come_by_every_point_and_every_kind() -> None:
    plans = [SHORT.plan(seed) for seed in seeds_of(SHORT)]
    faults = [fault for plan in plans for fault in plan]
    assert {fault.point for fault in faults if fault.point} == set(POINTS) and len(POINTS) >= 30
    assert {fault.kind for fault in faults} >= DRAWN
    for plan in plans:
        struck = [fault.target for fault in plan if fault.target.count(".")]
        assert {target.partition(".")[0] for target in struck} >= set(ENDS)
    assert len(faults) >= 60
    assert {first_of(point) for point in POINTS} - {None} <= KINDS.keys()


def test_the_seeds_of_the_long_form_have_faults_that_last_long_enough_for_each_alarm() -> None:
    plans = [LONG.plan(seed) for seed in seeds_of(LONG)]
    lasting = [one for plan in plans for one in plan if KINDS[one.kind].is_long(one)]
    long = Counter(f"{one.kind} {one.target.partition('.')[0]}" for one in lasting)
    for kind in ("lock request", "lock outbox", "lock position", "broker_freeze kafka", "refuse kafka", "cut kafka"):
        assert long[kind] >= 2, (kind, long)
    assert all(one.at + one.seconds <= LONG.seconds for one in lasting)


def test_nothing_silences_the_service_that_has_to_tell_of_a_long_fault() -> None:
    cut, kill = Fault(20, "cut", "kafka.router", 17), Fault(25, "kill", "router")
    others = [Fault(25, "kill", "stats"), Fault(25, "latency", "kafka.router", 3), Fault(70, "kill", "router")]
    assert [one.at for one in with_room([cut, kill, *others], last=88)] == [20, 44, 25, 25, 70]


def test_a_plan_is_the_same_again() -> None:
    assert LONG.plan(7) == LONG.plan(7) != LONG.plan(9)


@pytest.mark.parametrize("form", [SHORT, LONG])
def test_a_zombie_is_one_of_several_copies_and_each_of_them_is_struck(form: Form) -> None:
    plans = {seed: form.plan(seed) for seed in seeds_of(form)}
    struck = {one.target for seed, plan in plans.items() for one in plan if form.copies(seed) and one.kind != "point"}
    zombies = [one.target for plan in plans.values() for one in plan if one.kind == "zombie"]
    assert zombies and all("-" in one for one in zombies)
    assert {"router-1", "notifier-0", "notifier-1"} <= {one.rpartition(".")[2] for one in struck}
    assert not any("-" in one.target for seed, plan in plans.items() if not form.copies(seed) for one in plan)


def test_what_would_end_a_zombie_is_kept_from_it_and_what_strikes_its_twin_is_not() -> None:
    zombie = Fault(20, "zombie", "router-1", 15)
    others = [Fault(25, "kill", "router-1"), Fault(25, "kill", "router-0"), Fault(25, "restart_all")]
    assert [one.at for one in with_room([zombie, *others], last=88)] == [20, 42, 25, 42]


_REQUEST: Final = UUID("01890000-0000-7000-8000-000000000001")
_FAULTS: Final = {"disk_full": 2, "smtp_drops": 1}


def test_a_full_disk_that_no_write_met_is_a_miss_and_so_is_an_alarm_never_asked_for() -> None:
    def met(
        form: Form, *, faults: dict[str, int] = _FAULTS, unfelt: dict[str, int] | None = None, judged: Iterable[str] = ()
    ) -> list[bool]:
        outcome = Outcome(1, form.name, faults=faults, unfelt=unfelt or {})
        outcome.alarms_judged = dict.fromkeys(judged, 1)
        return [one.met for one in proven_nothing(form, [outcome])]

    assert met(SHORT, unfelt={"disk_full": 2}, judged=ASKED_IN_CI) == [False, True]
    assert met(SHORT, unfelt={"disk_full": 1, "smtp_drops": 1}, judged=ASKED_IN_CI) == [True, True]
    assert met(SHORT, judged=ASKED_IN_CI - {"postgres_stop"}) == [True, False], "CI always asks for this one"
    assert met(SHORT, faults={"zombie": 1}, unfelt={"zombie": 1}, judged=ASKED_IN_CI) == [False, True], "nobody took over"
    assert met(LONG, unfelt={"smtp_drops": 1}) == [False, False]
    assert met(LONG, faults={"reset": 3}, unfelt={"reset": 3}) == [False, False], "no connection was there to be reset"
    assert met(LONG, faults={"kill": 1}) == [True, False]
    assert met(LONG, judged=ALARMS) == [True, True]


def test_what_nobody_did_is_told() -> None:
    def record(topic: str, name: str, sequence: int, **data: Any) -> Record:
        return Record(topic, _REQUEST, sequence, f"fr.aiguilleur.any.{name}.v1", data)

    acts = [Act(_REQUEST, what, "done") for what in get_args(What)]
    log = [record("handling.v1", name, number) for number, name in enumerate(("usager_asked", "usager_replied"), 3)]
    log.append(record("escalations.v1", "raised", 1, promise="taking_charge", next_level=None))
    erasures: dict[UUID, Told] = {_REQUEST: "done"}

    def left(log: list[Record], acts: list[Act]) -> list[str]:
        return left_out(Evidence(log, {}), History(acts=acts, erasures=erasures))

    assert left(log, acts) == []
    assert left(log, acts[1:]) == [f"acts: nobody came to {acts[0].what}"]
    refused = [replace(one, outcome="refused") if one.what == "reopen" else one for one in acts]
    assert left(log, refused) == ["acts: nobody came to reopen"]
    assert left(log[::2], acts) == ["acts: no usager answered a question"]
    assert left(log[:2], acts) == ["5 nobody was told at the top of a ladder"]
    for outcome in ("refused", "unknown"):
        erasures[_REQUEST] = outcome
        assert left(log, acts) == ["acts: nobody came to erase"]


def test_a_relay_that_never_changed_hands_is_told() -> None:
    def published(name: str, *counts: float) -> list[Sample]:
        return [Sample(at, name, counted={"aiguilleur_published_total": count}) for at, count in enumerate(counts)]

    shares = [("router-0", "router-1"), ("sla-0", "sla-1")]
    led = published("router-0", 0, 9)
    assert never_handed_over([*led, *published("router-1", 0, 0), *published("sla-1", 0, 3)], shares)
    assert not never_handed_over([*led, *published("router-1", 0, 4)], shares)
