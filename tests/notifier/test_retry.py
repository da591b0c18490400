"""When a letter is tried again: R9, 30 s, 2, 5, 15, 30, 60 min, then hourly with jitter to 72 h."""

from datetime import timedelta
from uuid import UUID

from services.notifier.domain.retry import next_try
from tests.notifier.conftest import AT, REQUEST


def test_the_first_waits_are_those_of_the_charter() -> None:
    waits = [next_try(request_id=REQUEST, attempts=count, arose_at=AT, now=AT) for count in range(1, 7)]
    assert [(wait - AT).total_seconds() / 60 for wait in waits if wait] == [0.5, 2, 5, 15, 30, 60]


def test_then_about_every_hour_each_letter_at_its_own_instant() -> None:
    later = [next_try(request_id=UUID(int=number), attempts=9, arose_at=AT, now=AT) for number in range(500)]
    minutes = [(wait - AT).total_seconds() / 60 for wait in later if wait]
    assert len(minutes) == 500 and 48 <= min(minutes) < 52 and 68 < max(minutes) <= 72
    assert len({round(wait) for wait in minutes}) > 15


def test_it_is_given_up_at_72_hours_and_not_before() -> None:
    tried, attempts, now = [AT], 1, AT
    while (again := next_try(request_id=REQUEST, attempts=attempts, arose_at=AT, now=now)) is not None:
        now, attempts = again, attempts + 1
        tried.append(now)
    assert timedelta(hours=72) <= now - AT < timedelta(hours=73, minutes=12)
    assert 65 <= len(tried) <= 95
