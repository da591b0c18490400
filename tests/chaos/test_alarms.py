"""The judge of alarms: a fault that nobody told of is found, and so is an alarm without a fault."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from tests.chaos.alarms import ALARMS, cries, untold
from tests.chaos.faults import KINDS, Fault
from tests.chaos.observer import Observer, Sample, risen
from tests.chaos.town import SERVERS


def _well(at: float, service: str) -> Sample:
    return Sample(at, service, live=200, ready=200)


def _seen(*samples: Sample) -> Callable[[float, float, Iterable[str]], list[Sample]]:
    observer = Observer.__new__(Observer)
    observer.samples = list(samples)
    return observer.between


def test_a_fault_that_lasted_and_was_not_told_is_found() -> None:
    away = Fault(1, "postgres_stop", "postgres", 2)
    silent = _seen(*(_well(at, "intake") for at in range(9)))
    assert len(untold([(away, 1.0, 4.0)], silent)) == 1
    told = _seen(_well(0, "intake"), Sample(2, "intake", live=200, ready=503))
    assert untold([(away, 1.0, 4.0)], told) == []


def test_what_was_said_before_a_fault_tells_nothing_of_it() -> None:
    before = _seen(Sample(0.5, "router"), _well(2, "router"))
    frozen = Fault(1, "freeze", "router", 5)
    assert len(untold([(frozen, 1.0, 6.0)], before)) == 1


def test_a_short_fault_need_not_be_told() -> None:
    assert untold([(Fault(1, "freeze", "router", 1), 1.0, 2.0)], _seen()) == []


def test_a_counter_that_began_anew_rose_by_what_it_shows() -> None:
    counted = [Sample(at, "router", counted={"parked_total": value}) for at, value in enumerate([5.0, 7.0, 2.0])]
    assert risen(counted, "parked") == 4.0


def test_an_alarm_without_a_fault_is_found() -> None:
    failing = {'aiguilleur_relay_failing{service="sla"}': 1.0}
    assert cries([_well(1, "sla")]) == []
    assert len(cries([Sample(1, "sla"), replace(_well(2, "sla"), counted=failing), Sample(3, "sla", live=503, ready=200)])) == 3


def test_every_alarm_is_of_a_fault_that_there_is() -> None:
    for name in ALARMS:
        kind, _, server = name.partition(" ")
        assert kind in KINDS and server in ("", *SERVERS)
