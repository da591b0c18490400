"""Worked examples that a reader can check with a paper calendar, and the edges."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.working_time import Calendar, Closure, Holiday, NoOpening, WorkingTime

PARIS = ZoneInfo("Europe/Paris")
MORNING, AFTERNOON = (time(8, 30), time(12)), (time(13, 30), time(17, 30))


def office(*, closures: tuple[Closure, ...] = (), added: tuple[Holiday, ...] = ()) -> WorkingTime:
    """Monday to Friday, 8:30-12:00 and 13:30-17:30: 7 h 30 a day."""
    week = ((MORNING, AFTERNOON),) * 5 + ((), ())
    return WorkingTime(Calendar(code="office", version=1, timezone="Europe/Paris", week=week, closures=closures, added=added))


def paris(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=PARIS)  # type: ignore[misc,arg-type]  # parts are year, month, day, hour, minute


def test_forty_eight_working_hours_across_the_first_of_may() -> None:
    # Thu 30 April 2026, 16:40: 0 h 50 left. 1 May is off. Then 7 h 30 from Mon 4 to Thu 7; 8 May is off;
    # 7 h 30 on Mon 11 and Tue 12; 2 h 10 remain for Wed 13: 10:40.
    due = office().due(paris(2026, 4, 30, 16, 40), 48 * 3600)

    assert due == paris(2026, 5, 13, 10, 40)


def test_a_request_of_saturday_starts_on_monday() -> None:
    assert office().due(paris(2026, 6, 6, 22, 0), 2 * 3600) == paris(2026, 6, 8, 10, 30)


def test_the_explanation_reads_as_a_clerk_would_say_it() -> None:
    lines = office().explain(paris(2026, 4, 30, 16, 40), 3 * 3600)

    assert [str(line) for line in lines] == [
        "jeu. 16 h 40 : 0 h 50",
        "ven. : fermé (1er mai)",
        "sam. : fermé (jour sans ouverture)",
        "dim. : fermé (jour sans ouverture)",
        "lun. : 2 h 10",
    ]
    assert lines[1].dated == "ven. 1er mai : fermé (1er mai)"


def test_a_delay_that_ends_at_a_closing_is_due_at_that_closing() -> None:
    assert office().due(paris(2026, 6, 8, 11, 0), 3600) == paris(2026, 6, 8, 12, 0)
    assert office().due(paris(2026, 6, 8, 11, 0), 3601) == paris(2026, 6, 8, 13, 30) + timedelta(seconds=1)


def test_no_delay_is_due_at_once_even_at_night() -> None:
    assert office().due(paris(2026, 6, 8, 3, 0), 0) == paris(2026, 6, 8, 3, 0)


def test_open_includes_the_opening_and_not_the_closing() -> None:
    assert office().is_open(paris(2026, 6, 8, 8, 30))
    assert not office().is_open(paris(2026, 6, 8, 12, 0))
    assert office().next_opening(paris(2026, 6, 8, 12, 0)) == paris(2026, 6, 8, 13, 30)
    assert office().next_opening(paris(2026, 6, 8, 9, 0)) == paris(2026, 6, 8, 9, 0)


def test_a_night_shift_loses_an_hour_in_march_and_gains_one_in_october() -> None:
    all_week = {weekday: ((time(0), time(0)),) for weekday in range(7)}
    always = WorkingTime(Calendar.of_weekdays("always", version=1, timezone="Europe/Paris", weekly=all_week))

    assert always.elapsed(paris(2026, 3, 29), paris(2026, 3, 30)) == 23 * 3600
    assert always.elapsed(paris(2026, 10, 25), paris(2026, 10, 26)) == 25 * 3600
    assert always.due(paris(2026, 3, 28, 12, 0), 24 * 3600) == datetime(2026, 3, 29, 11, 0, tzinfo=UTC)


def test_a_period_inside_the_skipped_hour_counts_nothing_and_inside_the_repeated_hour_twice() -> None:
    weekly = {6: ((time(2, 15), time(2, 45)),)}
    night = WorkingTime(Calendar.of_weekdays("night", version=1, timezone="Europe/Paris", weekly=weekly))

    assert night.elapsed(paris(2026, 3, 29), paris(2026, 3, 30)) == 0
    assert night.elapsed(paris(2026, 10, 25), paris(2026, 10, 26)) == 3600


def test_closures_win_and_say_why() -> None:
    works = Closure(first=date(2026, 6, 8), last=date(2026, 6, 9), label="travaux")
    engine = office(closures=(works,), added=(Holiday(day=date(2026, 6, 10), label="fête patronale"),))

    lines = engine.explain(paris(2026, 6, 8, 9, 0), 3600)

    assert [str(line) for line in lines] == [
        "lun. 9 h 00 : fermé (travaux)",
        "mar. : fermé (travaux)",
        "mer. : fermé (fête patronale)",
        "jeu. : 1 h",
    ]


def test_wrong_arguments_are_refused_with_the_reason() -> None:
    engine = office()
    with pytest.raises(ValueError, match="no time zone"):
        engine.due(datetime(2026, 6, 8, 9, 0), 60)
    with pytest.raises(ValueError, match="cannot be negative: -1"):
        engine.due(paris(2026, 6, 8), -1)
    with pytest.raises(ValueError, match="before the start"):
        engine.elapsed(paris(2026, 6, 8), paris(2026, 6, 7))


def test_a_calendar_that_never_opens_is_refused() -> None:
    with pytest.raises(ValueError, match="never opens"):
        Calendar.of_weekdays("closed", version=1, timezone="Europe/Paris", weekly={})


def test_a_closure_without_end_is_reported_and_does_not_loop() -> None:
    engine = office(closures=(Closure(first=date(2026, 1, 1), last=date(9999, 12, 31), label="fermeture définitive"),))
    with pytest.raises(NoOpening, match="calendar 'office' version 1 does not open enough"):
        engine.due(paris(2026, 6, 8), 60)
    with pytest.raises(NoOpening):
        engine.next_opening(paris(2026, 6, 8))


@pytest.mark.parametrize(
    ("periods", "fault"),
    [
        (((time(9), time(9)),), "09:00-09:00 is empty"),
        (((time(9), time(12)), (time(11), time(14))), "11:00-14:00 is empty, overlaps"),
        (((time(14), time(18)), (time(9), time(12))), "09:00-12:00 is empty, overlaps"),
    ],
)
def test_periods_that_make_no_sense_are_refused(periods: tuple[tuple[time, time], ...], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Calendar.of_weekdays("wrong", version=1, timezone="Europe/Paris", weekly={0: periods})
