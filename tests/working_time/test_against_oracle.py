"""The property: on any calendar and any instant, the engine says what the minute-by-minute oracle says."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import hypothesis.strategies as st
from hypothesis import assume, given, settings

from shared.working_time import Calendar, Closure, Holiday, WorkingTime
from tests.working_time.oracle import Oracle, Week

# Havana changes its clocks at midnight, Lord Howe by half an hour: what Paris cannot show.
ZONES = ("Europe/Paris", "Europe/Paris", "America/Havana", "Australia/Lord_Howe")
# Around both clock changes of Paris, of Havana and Lord Howe, the holidays of May, the turn of the year, a leap day.
NEAR = [
    datetime(2026, 3, 28, tzinfo=UTC),
    datetime(2026, 10, 24, tzinfo=UTC),
    datetime(2026, 3, 7, tzinfo=UTC),
    datetime(2026, 10, 31, tzinfo=UTC),
    datetime(2026, 4, 4, tzinfo=UTC),
    datetime(2026, 10, 3, tzinfo=UTC),
    datetime(2026, 4, 29, tzinfo=UTC),
    datetime(2025, 12, 30, tzinfo=UTC),
    datetime(2024, 2, 27, tzinfo=UTC),
]


@dataclass(frozen=True)
class Case:
    engine: WorkingTime
    oracle: Oracle
    start: datetime


@st.composite
def weeks(draw: st.DrawFn) -> Week:
    """Up to three periods a day, with a taste for midnight and for the hours in which clocks change."""
    week: Week = {}
    marks = st.sampled_from([0, 30, 60, 90, 120, 150, 180, 240, 480, 510, 720, 810, 1050, 1380, 1410, 1440]) | st.integers(
        0, 1440
    )
    for weekday in draw(st.sets(st.integers(0, 6), min_size=1)):
        edges = sorted(draw(st.sets(marks, min_size=2, max_size=6)))
        edges = edges[: len(edges) // 2 * 2]
        week[weekday] = [(_clock(a), _clock(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return week


@st.composite
def cases(draw: st.DrawFn) -> Case:
    start = draw(st.sampled_from(NEAR)) + timedelta(minutes=draw(st.integers(0, 4 * 1440)))
    near = st.integers(-3, 12).map(lambda days: start.date() + timedelta(days=days))
    zone, week = draw(st.sampled_from(ZONES)), draw(weeks())
    added, removed = draw(st.sets(near, max_size=2)), draw(st.sets(near, max_size=2))
    closures = tuple(
        Closure(first=first, last=first + timedelta(days=draw(st.integers(0, 3))), label="travaux")
        for first in draw(st.sets(near, max_size=2))
    )
    calendar = Calendar(
        code="tested",
        version=1,
        timezone=zone,
        week=tuple(tuple(week.get(weekday, ())) for weekday in range(7)),
        added=tuple(Holiday(day=day, label="fête locale") for day in sorted(added)),
        removed=frozenset(removed),
        closures=closures,
    )
    closed = {c.first + timedelta(days=n) for c in closures for n in range((c.last - c.first).days + 1)}
    return Case(engine=WorkingTime(calendar), oracle=Oracle(zone, week, added | closed, removed), start=start)


def _clock(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


@settings(max_examples=120)
@given(case=cases(), minutes=st.integers(0, 1500))
def test_due_is_the_first_instant_with_enough_working_time(case: Case, minutes: int) -> None:
    due = case.engine.due(case.start, minutes * 60)
    assume(due - case.start < timedelta(days=40))

    assert due == case.oracle.due(case.start, minutes)
    assert due.tzinfo is UTC


@settings(max_examples=80)
@given(case=cases(), minutes=st.integers(0, 12 * 1440))
def test_elapsed_counts_the_open_minutes(case: Case, minutes: int) -> None:
    end = case.start + timedelta(minutes=minutes)

    assert case.engine.elapsed(case.start, end) == case.oracle.elapsed_minutes(case.start, end) * 60


@settings(max_examples=80)
@given(case=cases())
def test_open_now_and_next_opening(case: Case) -> None:
    opening = case.engine.next_opening(case.start)
    assume(opening - case.start < timedelta(days=40))

    assert case.engine.is_open(case.start) == case.oracle.is_open(case.start)
    assert opening == case.oracle.next_opening(case.start)


@settings(max_examples=120)
@given(case=cases(), seconds=st.integers(0, 400_000), microseconds=st.integers(0, 999_999))
def test_due_and_elapsed_are_inverse_to_the_microsecond(case: Case, seconds: int, microseconds: int) -> None:
    start = case.start + timedelta(microseconds=microseconds)

    due = case.engine.due(start, seconds)

    assert case.engine.elapsed(start, due) == seconds
    if seconds:
        assert case.engine.elapsed(start, due - timedelta(microseconds=1)) == seconds - 1


@settings(max_examples=80)
@given(case=cases(), hours=st.integers(0, 30))
def test_the_explanation_adds_up(case: Case, hours: int) -> None:
    lines = case.engine.explain(case.start, hours * 3600)

    assert sum(line.opened_seconds for line in lines) == hours * 3600
    assert all(bool(line.reason) == (line.opened_seconds == 0) for line in lines)
    days = [line.day for line in lines]
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]


@settings(max_examples=20)
@given(year=st.integers(1990, 2060))
def test_a_table_that_grew_says_what_a_fresh_one_says(year: int) -> None:
    calendar = Calendar.of_weekdays("tested", version=1, timezone="Europe/Paris", weekly={2: ((time(9), time(12)),)})
    grown = WorkingTime(calendar)
    grown.due(datetime(2026, 1, 1, tzinfo=UTC), 3600)
    start = datetime(year, 6, 1, tzinfo=UTC)

    assert grown.due(start, 3600 * 1000) == WorkingTime(calendar).due(start, 3600 * 1000)
    assert grown.elapsed(start, start + timedelta(days=365)) > 3600 * 3 * 45
    assert calendar.day_off(date(year, 12, 25)) == "Noël"
