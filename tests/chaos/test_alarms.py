"""The judge of alarms: a fault that nobody told of is found, and so is an alarm without a fault."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

import pytest

from shared.events.topics import SERVICES
from tests.chaos.alarms import ALARMS, cries, judge
from tests.chaos.faults import KINDS
from tests.chaos.observer import Observer, Sample, risen
from tests.chaos.orchestrator import Death
from tests.chaos.stage import Fault, Span
from tests.chaos.town import ENDS


def _well(at: float, service: str) -> Sample:
    return Sample(at, service, live=200, ready=200)


def _seen(*samples: Sample) -> Callable[[float, float, Iterable[str]], list[Sample]]:
    observer = Observer.__new__(Observer)
    observer.samples = list(samples)
    return observer.between


def _judged(span: Span, *samples: Sample, others: Sequence[Span] = (), deaths: Sequence[Death] = ()) -> tuple[int, int]:
    """Return how many faults somebody was asked about, and how many services said nothing."""
    told = judge([span, *others], deaths, _seen(*samples))
    assert told.drawn.total() == 1
    return told.judged.total(), len(told.missing)


_STOPPED: Final = Span(Fault(1, "postgres_stop", "postgres", 2), 1.0, 4.0)
_TOLD: Final = [Sample(2, service, live=200, ready=503) for service in SERVICES]
_REFUSED: Final = Span(Fault(1, "refuse", "smtp.notifier", 4), 1.0, 5.0)
_POISON: Final = Span(Fault(1, "poison", "log"), 1.0, 1.1)


def test_a_fault_that_lasted_and_was_not_told_is_found() -> None:
    assert _judged(_STOPPED, *(_well(at, one) for at in range(9) for one in SERVICES)) == (1, 5)
    assert _judged(_STOPPED, *_TOLD) == (1, 0)
    assert _judged(_STOPPED, *_TOLD[1:]) == (1, 1), "each service that was there has to tell"


def test_who_was_dead_or_frozen_is_not_asked_and_tells_nothing() -> None:
    silent = [Sample(2, one) for one in SERVICES]
    assert _judged(_STOPPED, *silent) == (1, 5), "a dead service says nothing of PostgreSQL"
    deaths = [Death(one, at=3.0, code=-9, ready_at=8.0) for one in SERVICES]
    assert _judged(_STOPPED, *silent, deaths=deaths) == (0, 0)
    assert _judged(_STOPPED, *_TOLD[:1], deaths=deaths[1:]) == (1, 0)
    twice = [Death(SERVICES[0], at=-9.0, code=-9), Death(SERVICES[0], at=-5.0, code=-9, ready_at=-3.0)]
    assert _judged(_STOPPED, *_TOLD[1:], deaths=twice) == (1, 1), "it was there again"
    soon, later = ([Death(SERVICES[0], at=at, code=-9)] for at in (4.2, 4.8))
    assert _judged(_STOPPED, *_TOLD[1:], deaths=soon) == (1, 0), "it died right afterwards, before anybody could see"
    assert _judged(_STOPPED, *_TOLD[1:], deaths=later) == (1, 1), "it had the time to tell"
    frozen = Span(Fault(1, "freeze", SERVICES[0], 2), 2.0, 4.0)
    assert judge([_STOPPED, frozen], (), _seen(*_TOLD[1:])).missing == []


def test_only_the_notifier_tells_of_the_mail_server() -> None:
    assert _judged(_REFUSED, Sample(2, "stats"), _well(2, "notifier")) == (1, 1)
    name = 'aiguilleur_unavailable_total{service="notifier",what="smtp"}'
    counted = [Sample(at, "notifier", live=200, ready=200, counted={name: float(at)}) for at in (1, 2)]
    assert _judged(_REFUSED, *counted) == (1, 0)
    away = [Span(Fault(1, "reset", "postgres.notifier"), 2.0, 4.0)]
    assert _judged(_REFUSED, _well(2, "notifier"), others=away) == (0, 0), "no letter can be claimed without PostgreSQL"


def test_a_letter_that_nobody_can_be_sent_tells_nothing_of_the_mail_server() -> None:
    def failed(cause: str) -> list[Sample]:
        name = f'aiguilleur_mails_total{{cause="{cause}",outcome="failed"}}'
        return [Sample(at, "notifier", live=200, ready=200, counted={name: float(at)}) for at in (1, 2)]

    refuses = Span(Fault(1, "smtp_refuses", "smtp", 4), 1.0, 5.0)
    assert _judged(refuses, *failed("server")) == (1, 0)
    assert _judged(refuses, *failed("letter")) == (1, 1)


def test_poison_is_told_by_each_reader_of_the_topic() -> None:
    def parked(service: str) -> list[Sample]:
        return [Sample(at, service, live=200, ready=200, counted={"aiguilleur_parked_total": at}) for at in (0.5, 2.0)]

    readers = ("router", "sla", "notifier", "stats")
    assert _judged(_POISON, *(one for service in readers for one in parked(service))) == (1, 0)
    assert _judged(_POISON, *(one for service in readers[1:] for one in parked(service))) == (1, 1)


def test_silence_tells_of_a_freeze_and_what_was_said_before_it_does_not() -> None:
    frozen = Span(Fault(1, "freeze", "router", 5), 1.0, 6.0)
    assert _judged(frozen, Sample(0.5, "router"), _well(2, "router")) == (1, 1)
    assert _judged(frozen, Sample(2.5, "router")) == (1, 0)


def test_who_is_given_no_records_meets_no_lock() -> None:
    lock = Span(Fault(1, "lock", "request.router", 22.7), 1.0, 23.7)
    frozen = Span(Fault(0, "broker_freeze", "kafka", 12), 0.0, 12.0)
    well = _seen(*(_well(at, "router") for at in range(30)))
    assert [one for one in judge([lock], (), well).missing if "lock" in one]
    assert not [one for one in judge([lock, frozen], (), well).missing if "lock" in one]


def test_what_comes_out_of_turn_may_be_one_batch_for_a_reader_whose_statements_are_slow() -> None:
    disorder = Span(Fault(3, "disorder", "log"), 3.0, 4.2)
    slow = Span(Fault(1, "slow_statements", "position.router", 3.2, 0.9), 1.0, 4.2)
    well = _seen(*(_well(at, "router") for at in range(15)))
    assert [one for one in judge([disorder], (), well).missing if "router" in one]
    assert not [one for one in judge([disorder, slow], (), well).missing if "router" in one]


@pytest.mark.parametrize(
    ("began", "ended", "silent"),
    [
        (5.0, 5.5, 0),  # neither 4 s before it are enough nor the rest of it
        (23.5, 24.0, 0),  # noticed, perhaps, and nobody had looked yet
        (26.0, 26.5, 1),  # it was over by then
        (-5.0, 1.2, 0),  # what it lacked was not back at once
        (-5.0, 0.9, 1),  # over before it began
    ],
)
def test_a_moment_without_the_broker_excuses_who_was_left_no_time_to_notice(began: float, ended: float, silent: int) -> None:
    lock = Span(Fault(1, "lock", "request.router", 23), 1.0, 24.0)
    away = Span(Fault(0, "refuse", "kafka.router"), began, ended)
    well = _seen(*(_well(at, "router") for at in range(30)))
    assert len([one for one in judge([lock, away], (), well).missing if "lock" in one]) == silent


def test_a_short_fault_need_not_be_told() -> None:
    assert _judged(Span(Fault(1, "freeze", "router", 1), 1.0, 2.0)) == (0, 0)


def test_a_counter_that_began_anew_rose_by_what_it_shows() -> None:
    counted = [Sample(at, "router", counted={"parked_total": value}) for at, value in enumerate([5.0, 7.0, 2.0])]
    assert risen(counted, "parked") == 4.0


def test_a_counter_that_appears_rose_from_nothing() -> None:
    others = {"aiguilleur_relay_failing": 0.0}
    first = Sample(1, "router", counted=others | {"aiguilleur_parked_total": 2.0})
    assert risen([Sample(0, "router", counted=others), first], "parked") == 2.0
    assert risen([Sample(0, "router"), first], "parked") == 0.0, "nothing is known of before"


def test_an_alarm_without_a_fault_is_found() -> None:
    def cried(*samples: Sample) -> int:
        return len(cries([_well(0, "sla"), _well(9, "sla"), *samples], ["sla"]))

    assert cried() == 0
    assert cried(Sample(1, "sla")) == 1
    assert cried(Sample(1, "sla", live=503, ready=200)) == 1
    assert cried(replace(_well(2, "sla"), counted={'aiguilleur_relay_failing{service="sla"}': 1.0})) == 1


@pytest.mark.parametrize(
    ("metric", "cried"),
    [
        ("aiguilleur_gaps_total", 1),
        ("aiguilleur_turned_away_total", 1),
        ("aiguilleur_publish_errors_total", 1),
        ("aiguilleur_published_total", 0),
        ('aiguilleur_mails_total{cause="server",outcome="retried"}', 1),
        ('aiguilleur_mails_total{cause="fault",outcome="retried"}', 1),
        ('aiguilleur_mails_total{cause="letter",outcome="failed"}', 0),
        ('aiguilleur_mails_total{cause="server",outcome="sent"}', 0),
    ],
)
def test_a_counter_of_trouble_that_rises_without_a_fault_is_found(metric: str, cried: int) -> None:
    samples = [
        replace(_well(at, "sla"), counted={"aiguilleur_halted": 0.0, metric: value}) for at, value in enumerate((2.0, 3.0))
    ]
    assert len(cries(samples, ["sla"])) == cried


def test_who_was_not_looked_at_may_have_cried() -> None:
    assert cries([_well(1, "sla")], ["sla", "stats"]) == ["13 alarm without a fault: stats: nobody looked at it"]


def test_whose_write_found_no_room_says_so() -> None:
    def told(service: str) -> list[Sample]:
        name = f'aiguilleur_unavailable_total{{service="{service}",what="postgresql"}}'
        return [Sample(at, service, live=200, ready=200, counted={name: float(at)}) for at in (0, 2)]

    full = Span(Fault(1, "disk_full", "postgres", 3), 1.0, 4.0)
    struck = [full._replace(fault=replace(full.fault, target=f"postgres.{one}")) for one in ("intake", "router")]
    well = [_well(2, one) for one in SERVICES]
    silent = judge([full, *struck], (), _seen(*told("router"), *well))
    assert [one.split()[4] for one in silent.missing] == ["intake:"]
    assert silent.drawn.total() == 2
    assert judge([full, *struck], (), _seen(*told("router"), *told("intake"), *well)).missing == []


def test_each_copy_tells_of_what_strikes_it_and_one_of_them_of_what_they_share() -> None:
    names = ["router-0", "router-1", "stats"]

    def missing(span: Span, *samples: Sample, deaths: Sequence[Death] = ()) -> list[str]:
        return [one.split()[4][:-1] for one in judge([span], deaths, _seen(*samples), names=names).missing]

    away = [Sample(2, one, live=200, ready=503) for one in names]
    assert missing(_STOPPED, away[0], away[2]) == ["router-1"]
    frozen = Span(Fault(1, "zombie", "router-1", 15), 1.0, 16.0)
    assert missing(frozen, Sample(2, "router-0"), _well(2, "router-1")) == ["router-1"]
    parked = [Sample(at, "router-1", live=200, ready=200, counted={"aiguilleur_parked_total": at}) for at in (0.5, 2.0)]
    well = [_well(2, "router-0"), _well(2, "stats")]
    assert missing(_POISON, *parked, *well) == ["stats"], "who has the partition parks it"
    assert sorted(missing(_POISON, *well)) == ["router-0", "router-1", "stats"]
    assert missing(_POISON, *well, deaths=[Death("router-1", at=1.0, code=-9)]) == ["stats"], "and it may have been that one"


def test_a_copy_that_alone_cannot_reach_the_mail_server_says_so_itself() -> None:
    names = ["notifier-0", "notifier-1"]
    name = 'aiguilleur_unavailable_total{service="notifier",what="smtp"}'
    told = [Sample(at, "notifier-0", live=200, ready=200, counted={name: float(at)}) for at in (1, 2)]
    for target, silent in (("smtp.notifier-1", 1), ("smtp.notifier", 0)):
        span = Span(Fault(1, "refuse", target, 4), 1.0, 5.0)
        assert len(judge([span], (), _seen(*told, _well(2, "notifier-1")), names=names).missing) == silent


def test_a_fault_that_met_nobody_is_not_asked_about_and_excuses() -> None:
    frozen = Span(Fault(1, "zombie", SERVICES[0], 15), 2.0, 4.0)
    told = judge([_STOPPED, frozen], (), _seen(*_TOLD[1:]), unfelt={frozen.fault})
    assert (told.missing, told.drawn["zombie"]) == ([], 0)


def test_every_alarm_is_of_a_fault_that_there_is() -> None:
    struck = {"", "request", "outbox", "position"} | set(ENDS)
    for name in ALARMS:
        kind, _, what = name.partition(" ")
        assert kind in KINDS and what in struck
