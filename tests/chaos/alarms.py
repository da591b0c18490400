"""Which fault has to be said by whom: invariant 13, the part that the tables cannot tell.

A fault that lasts long enough must show in what an operator looks at; with no fault about, nothing may be said. Asked is each
process that it strikes and that was there for all of it. Who says nothing is excused if no part of the fault was long enough in
which it lived, moved, and had what it notices with.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from deploy.local.town import service_of
from shared.events.topics import SERVICES
from tests.chaos.observer import EVERY_SECONDS, Sample, is_trouble, risen, rises
from tests.chaos.orchestrator import Death
from tests.chaos.stage import Fault, Span
from tests.chaos.town import PUBLISHERS, READERS, meet

LATE_SECONDS: Final = 6.0
"""Within which time after its end a fault still counts as told: what hung gives up at its own time-out."""
_SEEN_SECONDS: Final = 3.0
"""From when a process has noticed to a sample that shows it: who asks each second waits for 2 s."""


class Alarm(NamedTuple):
    """Who has to say what of a kind of fault.

    after_seconds: how long it must last for somebody to say so. says: whether the samples of one process do. where: for
    people. who: the services that can notice, of those that it strikes. needs: the servers without which they cannot.
    shared: what it strikes is shared out among the copies of a service, and the one that has it says so for all.
    """

    after_seconds: float
    says: Callable[[list[Sample]], bool]
    where: str
    who: tuple[str, ...] = SERVICES
    needs: tuple[str, ...] = ()
    shared: bool = False


def _silent(samples: list[Sample]) -> bool:
    return any(one.live is None for one in samples)


def _away(what: str) -> Callable[[list[Sample]], bool]:
    def says(samples: list[Sample]) -> bool:
        return risen(samples, "unavailable", f'what="{what}"') > 0

    return says


def _no_database(samples: list[Sample]) -> bool:
    """Also where /ready waits for PostgreSQL for longer than who asks, while /live answers."""
    return any(one.live == 200 and one.ready != 200 for one in samples) or _away("postgresql")(samples)


def _no_kafka(samples: list[Sample]) -> bool:
    told = any(any(word in one.text for word in ("published", "compared", "Kafka")) for one in samples)
    return told or _away("kafka")(samples) or risen(samples, "publish_errors") > 0


def _mail_trouble(samples: list[Sample]) -> bool:
    """What the mail server does; what cannot be sent as its usager gave no address, or had it erased, is none of its doing."""
    refused = (risen(samples, "mails_total", 'cause="server"', f'outcome="{one}"') for one in ("retried", "failed"))
    return _away("smtp")(samples) or any(refused)


def _parked(samples: list[Sample]) -> bool:
    return risen(samples, "parked_total") > 0


_SILENT: Final = Alarm(4.5, _silent, "/live does not answer")
"""Who asks each second, and waits for 2 s, and has a second to spare where all are busy, knows by then."""
_DATABASE: Final = Alarm(4.0, _no_database, "/ready is not 200, unavailable_total{postgresql}")
_FULL: Final = Alarm(0.0, _away("postgresql"), "unavailable_total{postgresql}, postgresql.unavailable in its log", shared=True)
_LOCKED: Final = _DATABASE._replace(after_seconds=21.0, needs=("kafka",))
"""A statement may take 20 s; and who is given no records meets no lock."""
_KAFKA: Final = Alarm(
    4.0, _no_kafka, "/ready's text, relay_failing, publish_errors_total, unavailable_total{kafka}", needs=("postgres",)
)
_CUT_KAFKA: Final = _KAFKA._replace(after_seconds=15.0)
_SMTP: Final = Alarm(
    2.5,
    _mail_trouble,
    "unavailable_total{smtp}, mails_total{server, retried or failed}",
    ("notifier",),
    ("postgres", "kafka"),
    shared=True,
)
_PARKED: Final = Alarm(0.0, _parked, "parked_total, gaps_total, aiguilleur status", READERS, ("postgres", "kafka"), shared=True)
ALARMS: Final[dict[str, Alarm]] = {
    "freeze": _SILENT,
    "zombie": _SILENT,
    "broker_kill": _KAFKA,
    "broker_freeze": _CUT_KAFKA,
    "postgres_stop": _DATABASE._replace(after_seconds=0.5),
    "disk_full postgres": _FULL,
    "refuse postgres": _DATABASE,
    "cut postgres": _DATABASE._replace(after_seconds=6.0),
    "refuse kafka": _CUT_KAFKA,
    "cut kafka": _CUT_KAFKA,
    "refuse smtp": _SMTP,
    "lock request": _LOCKED,
    "lock outbox": _LOCKED._replace(who=PUBLISHERS),
    "lock position": _LOCKED,
    "smtp_puts_off": _SMTP,
    "smtp_refuses": _SMTP._replace(after_seconds=1.5),
    "smtp_drops": _SMTP,
    "smtp_forgets": _SMTP._replace(after_seconds=1.5),
    "poison": _PARKED,
    "disorder": _PARKED,
}
"""By kind, or kind and what of a service it strikes. What is not here is absorbed: nobody has to be woken for it. A kill shows
by the process that ends, which is the orchestrator's to tell; of a full disk only those are asked whose writes found no room; a
mail server that is cut off without a word is noticed by the time-out of a mail, 60 s, for which no cut of the chaos lasts."""
_SLOWED: Final = ("lock", "slow_statements")
"""What PostgreSQL keeps waiting; a reader may find in one batch then what was to come one after the other."""
_ONE_WAY: Final = {"cut_up": "cut", "cut_down": "cut", "half_open": "cut"}


@dataclass
class Judgement:
    """By alarm: how many faults there were, and how many somebody could be asked about. missing: what was not told."""

    drawn: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)


def judge(
    spans: Sequence[Span],
    deaths: Sequence[Death],
    between: Callable[[float, float, Iterable[str]], list[Sample]],
    *,
    names: Sequence[str] = SERVICES,
    unfelt: Collection[Fault] = (),
) -> Judgement:
    """Ask of each fault each process that should have told of it. names: of all processes. unfelt: faults that met nobody."""
    judgement = Judgement()
    for span in spans:
        name = _alarm_of(span)
        if name is None or span.fault in unfelt:
            continue
        alarm = ALARMS[name]
        judgement.drawn[name] += 1
        if span.ended - span.began < alarm.after_seconds:
            continue
        asked = [one for one in names if _strikes(span.fault, one) and service_of(one) in alarm.who]
        absences = {one: _absences(one, deaths) for one in asked}
        there = [one for one in asked if not _is_away(span, absences[one])]
        told = {one for one in there if alarm.says(between(span.began, span.ended + LATE_SECONDS, [one]))}
        quiet = {one: [*_kept_quiet(one, span, alarm, spans), *absences[one]] for one in there}
        able = {one for one in there if _can_notice(span, alarm, quiet[one])}
        silent = able - told
        if alarm.shared:
            spoken_for = {service_of(one) for one in asked if one not in silent}
            silent = {one for one in silent if service_of(one) not in spoken_for}
        judgement.judged[name] += bool(told or silent)
        judgement.missing += (f"13 not told by {one}: {str(span.fault).strip()}, expected: {alarm.where}" for one in silent)
    return judgement


def _alarm_of(span: Span) -> str | None:
    kind = _ONE_WAY.get(span.fault.kind, span.fault.kind)
    what, _, service = span.fault.target.partition(".")
    name = f"{kind} {what}" if service else kind
    return name if name in ALARMS else None


def _strikes(fault: Fault, name: str) -> bool:
    """Whether a fault strikes a process: its own, or one of a server that all share."""
    whose = fault.target.rpartition(".")[2]
    return service_of(whose) not in SERVICES or meet(whose, name)


def _absences(name: str, deaths: Sequence[Death]) -> list[tuple[float, float]]:
    """Return from when to when a process was dead, or not ready again."""
    mine = [one for one in deaths if one.name == name]
    nexts = [*(one.at for one in mine[1:]), math.inf]
    return [(one.at, one.ready_at or following) for one, following in zip(mine, nexts, strict=False)]


def _is_away(span: Span, absences: Iterable[tuple[float, float]]) -> bool:
    """Whether a process was dead, or not ready again, at some time of a fault, or right before it."""
    return any(died < span.ended and ready > span.began - EVERY_SECONDS for died, ready in absences)


def _kept_quiet(name: str, span: Span, alarm: Alarm, spans: Iterable[Span]) -> list[tuple[float, float]]:
    """Return from when to when another fault meanwhile kept a process from noticing: it stood still, or lacked what it needs.

    What it lacked is not back at once: that takes as long as a fault may take to be told after its end.
    """
    others = (one for one in spans if one is not span and one.ended > span.began and _keeps_quiet(one, name, alarm.needs))
    return [(one.began, one.ended + LATE_SECONDS) for one in others]


def _can_notice(span: Span, alarm: Alarm, disturbed: Iterable[tuple[float, float]]) -> bool:
    """Whether a stretch of a fault that nothing disturbed was as long as its alarm may take, and left time to see it."""
    free, late = span.began, span.ended + LATE_SECONDS
    for began, ended in sorted([*disturbed, (late, late)]):
        until = min(began, late)
        if min(until, span.ended) - free >= alarm.after_seconds and until - free >= alarm.after_seconds + _SEEN_SECONDS:
            return True
        free = max(free, ended)
    return False


def _keeps_quiet(other: Span, name: str, needs: Iterable[str]) -> bool:
    what, _, whom = other.fault.target.partition(".")
    if other.fault.kind in ("freeze", "zombie"):
        return what == name
    server = "postgres" if other.fault.kind in _SLOWED else what
    return server in needs and (not whom or meet(whom, name))


def cries(samples: Sequence[Sample], names: Iterable[str] = SERVICES) -> list[str]:
    """Return what was said in samples of a time without any fault: a status, a gauge, a counter of trouble that rose.

    A process that nobody looked at may have said anything.
    """
    said = [f"{one.name}: {one.live} {one.ready} {one.text}" for one in samples if not one.is_well]
    for name in names:
        mine = [one for one in samples if one.name == name]
        said += [f"{name}: {metric} rose by {rise:g}" for metric, rise in rises(mine).items() if rise and is_trouble(metric)]
        if not mine:
            said.append(f"{name}: nobody looked at it")
    return [f"13 alarm without a fault: {one}" for one in said]
