"""Which fault has to be said by whom: invariant 13, the part that the tables cannot tell.

A fault that lasts long enough must show in what an operator looks at; with no fault about, nothing may be said.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from shared.events.topics import SERVICES
from tests.chaos.faults import Fault
from tests.chaos.observer import Sample, risen

LATE_SECONDS: Final = 6.0
"""Within which time after its end a fault still counts as told: what hung gives up at its own time-out."""


class Alarm(NamedTuple):
    """`after_seconds`: how long a fault must last for somebody to say so. `says`: whether samples do. `where`: for people."""

    after_seconds: float
    says: Callable[[list[Sample]], bool]
    where: str


def _silent(samples: list[Sample]) -> bool:
    return any(one.live is None for one in samples)


def _away(what: str) -> Callable[[list[Sample]], bool]:
    def says(samples: list[Sample]) -> bool:
        return risen(samples, "unavailable", f'what="{what}"') > 0

    return says


def _no_database(samples: list[Sample]) -> bool:
    return _silent(samples) or any(one.ready == 503 for one in samples) or _away("postgresql")(samples)


def _no_kafka(samples: list[Sample]) -> bool:
    told = any(any(word in one.text for word in ("published", "compared", "Kafka")) for one in samples)
    return told or _away("kafka")(samples) or risen(samples, "publish_errors") > 0 or _silent(samples)


def _mail_trouble(samples: list[Sample]) -> bool:
    lost = _away("smtp")(samples) or risen(samples, "mails_total", 'outcome="retried"') > 0
    return lost or risen(samples, "mails_total", 'outcome="failed"') > 0 or _silent(samples)


def _parked(samples: list[Sample]) -> bool:
    return risen(samples, "parked_total") > 0 or _silent(samples)


_SILENT: Final = Alarm(4.0, _silent, "/live does not answer")
_DATABASE: Final = Alarm(4.0, _no_database, "/ready 503, unavailable_total{postgresql}")
_KAFKA: Final = Alarm(4.0, _no_kafka, "/ready's text, relay_failing, publish_errors_total, unavailable_total{kafka}")
_CUT_KAFKA: Final = Alarm(15.0, _no_kafka, _KAFKA.where)
_SMTP: Final = Alarm(2.5, _mail_trouble, "unavailable_total{smtp}, mails_total{retried, failed}")
_CUT_SMTP: Final = Alarm(65.0, _mail_trouble, _SMTP.where)
_PARKED: Final = Alarm(0.0, _parked, "parked_total, gaps_total, aiguilleur status")
ALARMS: Final[dict[str, Alarm]] = {
    "freeze": _SILENT,
    "zombie": _SILENT,
    "broker_kill": _KAFKA,
    "broker_freeze": _CUT_KAFKA,
    "postgres_stop": Alarm(0.5, _no_database, _DATABASE.where),
    "refuse postgres": _DATABASE,
    "cut postgres": Alarm(6.0, _no_database, _DATABASE.where),
    "refuse kafka": Alarm(15.0, _no_kafka, _KAFKA.where),
    "cut kafka": _CUT_KAFKA,
    "refuse smtp": _SMTP,
    "cut smtp": _CUT_SMTP,
    "lock": Alarm(21.0, _no_database, "unavailable_total{postgresql}: a statement may take 20 s"),
    "smtp_puts_off": _SMTP,
    "smtp_refuses": Alarm(1.5, _mail_trouble, _SMTP.where),
    "smtp_drops": _SMTP,
    "smtp_forgets": Alarm(1.5, _mail_trouble, _SMTP.where),
    "poison": _PARKED,
    "disorder": _PARKED,
}
"""By kind, or kind and server where it is of a link. What is not here is absorbed: nobody has to be woken for it. A kill shows
by the process that ends, which is the orchestrator's to tell; `disk_full` only strikes who has to make a table larger."""
_ONE_WAY: Final = {"cut_up": "cut", "cut_down": "cut", "half_open": "cut"}


def untold(
    faults: Iterable[tuple[Fault, float, float]], between: Callable[[float, float, Iterable[str]], list[Sample]]
) -> list[str]:
    """Return each fault (with when it began and ended) that nobody told of, though somebody should have."""
    missing = []
    for fault, began, ended in faults:
        server, _, service = fault.target.partition(".")
        kind = f"{_ONE_WAY.get(fault.kind, fault.kind)} {server}" if service else fault.kind
        alarm = ALARMS.get(kind)
        if alarm is None or ended - began < alarm.after_seconds:
            continue
        struck = [one for one in (service, fault.target) if one in SERVICES] or list(SERVICES)
        if not alarm.says(between(began, ended + LATE_SECONDS, struck)):
            missing.append(f"13 not told: {str(fault).strip()}, expected: {alarm.where}")
    return missing


def cries(samples: list[Sample]) -> list[str]:
    """Return what was said in samples of a time without any fault."""
    return [f"13 alarm without a fault: {one.service}: {one.live} {one.ready} {one.text}" for one in samples if not one.is_well]
