"""When the notifier may have lost its word of mails that it had just sent: what invariant 9 lets mails come again for."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from deploy.local.town import service_of
from tests.chaos.orchestrator import Death
from tests.chaos.stage import Span
from tests.judge.evidence import History, Period

_LOSING: Final = ("cut", "cut_up", "cut_down", "half_open", "reset", "refuse")
"""What may keep the answer of the mail server from the notifier, on the link between them."""
_SLOWING: Final = ("postgres", "kafka", "notifier", "postgres.notifier", "kafka.notifier", "smtp.notifier")
"""While these are struck the note of a mail waits: for PostgreSQL, for Kafka where PostgreSQL had stopped, or for the rest."""
_GIVES_UP_SECONDS: Final = 12.0
"""A notifier that is told to stop asks PostgreSQL so long for the outcomes of its last set."""


def note(history: History, spans: Sequence[Span], deaths: Sequence[Death]) -> None:
    """Write the losses of a run into its history, by the clock of the mail sink."""
    history.notes_delayed = [_period(one.began, one.ended) for one in spans if _slows(one)]
    history.mail_losses = [_period(one.began, one.ended) for one in spans if _loses(one)]
    for death in deaths:
        if service_of(death.name) != "notifier":
            continue
        slowed = any(one.began < death.at < one.ended + _GIVES_UP_SECONDS for one in spans if _slows(one))
        if death.code == -9 or slowed:
            history.mail_losses.append(_period(death.at, death.at))


def _loses(span: Span) -> bool:
    link = service_of(span.fault.target) == "smtp.notifier"
    return span.fault.kind == "smtp_forgets" or (link and span.fault.kind in _LOSING)


def _slows(span: Span) -> bool:
    waits = span.fault.kind in ("lock", "slow_statements") and span.fault.target.endswith(".notifier")
    return waits or span.fault.kind == "smtp_slow" or service_of(span.fault.target) in _SLOWING


def _period(began: float, ended: float) -> Period:
    now, here = datetime.now(UTC), time.monotonic()
    return Period(now - timedelta(seconds=here - began), now - timedelta(seconds=here - ended))
