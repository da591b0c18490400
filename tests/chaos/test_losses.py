"""When a mail may come again, told from the faults and the deaths of a run."""

import time
from collections.abc import Sequence

from tests.chaos import losses
from tests.chaos.orchestrator import Death
from tests.chaos.stage import Fault, Span
from tests.judge.evidence import History

NOW = time.monotonic()


def _noted(*spans: Span, deaths: Sequence[Death] = ()) -> History:
    history = History()
    losses.note(history, spans, deaths)
    return history


def _span(kind: str, target: str) -> Span:
    return Span(Fault(0, kind, target, 3), NOW, NOW + 3)


def test_a_killed_notifier_and_a_broken_way_to_the_mail_server_are_losses() -> None:
    killed = Death("notifier", NOW, -9)
    assert len(_noted(_span("cut", "smtp.notifier"), _span("smtp_forgets", "smtp"), deaths=[killed]).mail_losses) == 3
    second = Death("notifier-1", NOW, -9)
    assert len(_noted(_span("cut", "smtp.notifier-1"), deaths=[second]).mail_losses) == 2


def test_what_else_breaks_is_none() -> None:
    spans = [_span("cut", "postgres.notifier"), _span("smtp_puts_off", "smtp"), _span("latency", "smtp.notifier")]
    deaths = [Death("router", NOW, -9), Death("notifier", NOW - 60, 0)]
    history = _noted(*spans, deaths=deaths)
    assert history.mail_losses == []
    assert [round((one.ended - one.began).total_seconds()) for one in history.notes_delayed] == [3, 3]


def test_an_orderly_stop_while_no_note_can_be_made_is_a_loss() -> None:
    assert len(_noted(_span("postgres_stop", "postgres"), deaths=[Death("notifier", NOW + 9, 0)]).mail_losses) == 1
