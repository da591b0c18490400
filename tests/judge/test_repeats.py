"""Mails that came again: each has to have been in flight when something broke."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from tests.judge import repeats
from tests.judge.evidence import Evidence, History, Mail, Period

FIRST = datetime(2026, 11, 23, 10, tzinfo=UTC)


def _after(began: float, ended: float | None = None) -> Period:
    """From some seconds after the first arrival to others; without `ended` an instant."""
    return Period(FIRST + timedelta(seconds=began), FIRST + timedelta(seconds=began if ended is None else ended))


def _unexplained(losses: list[Period], *, delays: Sequence[Period] = (), copies: int = 1) -> list[str]:
    """Return what is said when mails come, and again 40 s later."""
    arrivals = (FIRST, FIRST + timedelta(seconds=40))
    mails = [Mail(f"<receipt.{number}@rivemont.example>", at) for number in range(copies) for at in arrivals]
    history = History(mail_losses=losses, notes_delayed=list(delays))
    return list(repeats.unexplained_mails(Evidence([], {}, mails), history, set()))


@pytest.mark.parametrize("loss", [_after(0), _after(4), _after(-3, 9)], ids=["at once", "right after it", "within a fault"])
def test_a_mail_may_come_again_that_arrived_shortly_before_a_loss(loss: Period) -> None:
    assert _unexplained([loss]) == []


@pytest.mark.parametrize(
    "losses",
    [[], [_after(9)], [_after(-30, -20)], [_after(60)]],
    ids=["nothing was lost", "noted long before", "lost before it came", "lost after it came again"],
)
def test_a_mail_that_came_again_outside_every_loss_is_named(losses: list[Period]) -> None:
    (told,) = _unexplained(losses)
    assert told.startswith("9 duplicates: <receipt.0@rivemont.example> came at 10:00:00")


def test_the_time_in_which_no_note_could_be_made_does_not_count() -> None:
    assert _unexplained([_after(20)], delays=[_after(1, 12), _after(8, 17)]) == []
    assert len(_unexplained([_after(20)], delays=[_after(1, 9)])) == 1


def test_a_loss_explains_no_more_mails_than_are_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "MOST_IN_FLIGHT", 2)
    assert _unexplained([_after(1)], copies=2) == []
    assert len(_unexplained([_after(1)], copies=3)) == 1
    assert _unexplained([_after(1), _after(2)], copies=3) == []


def test_a_mail_that_nobody_says_to_have_sent_was_in_flight_too() -> None:
    evidence, name = Evidence([], {}, [Mail("<receipt.0@rivemont.example>", FIRST)]), "<receipt.0@rivemont.example>"
    for losses, count in (([_after(2)], 0), ([_after(9)], 1)):
        told = list(repeats.unexplained_mails(evidence, History(mail_losses=losses), {name}))
        assert len(told) == count and all(one.startswith("9 unsaid") for one in told)
