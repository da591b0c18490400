"""Dates, durations, references in the reader's words."""

from datetime import UTC, date, datetime

import pytest

from shared.pages import formats


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    "moment, language, expected",
    [
        (datetime(2026, 11, 24, 13, 5, tzinfo=UTC), "fr", "mardi 24 novembre 2026 à 14 h 05"),
        (datetime(2026, 12, 1, 13, 0, tzinfo=UTC), "fr", "mardi 1er décembre 2026 à 14 h"),
        (datetime(2026, 7, 1, 22, 30, tzinfo=UTC), "fr", "jeudi 2 juillet 2026 à 0 h 30"),
        (datetime(2026, 11, 24, 13, 5, tzinfo=UTC), "en", "Tuesday 24 November 2026 at 14:05"),
    ],
)
def test_a_moment_is_told_in_local_time(moment: datetime, language: str, expected: str) -> None:
    assert plain(formats.local_datetime(moment, "Europe/Paris", language)) == expected


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        formats.local_datetime(datetime(2026, 1, 1), "Europe/Paris", "fr")


def test_a_day_is_the_local_day() -> None:
    moment = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)

    assert plain(formats.local_date(moment, "Europe/Paris", "fr")) == "mardi 1er décembre 2026"
    assert plain(formats.local_date(date(2026, 12, 1), "Europe/Paris", "en")) == "Tuesday 1 December 2026"


def test_a_machine_reads_the_moment_too() -> None:
    tag = formats.time_tag(datetime(2026, 11, 24, 13, 5, tzinfo=UTC), "Europe/Paris", "fr")

    assert tag.startswith('<time datetime="2026-11-24T13:05:00Z">mardi')


@pytest.mark.parametrize(
    "seconds, language, expected",
    [
        (9_000, "fr", "2 h 30"),
        (2_700, "fr", "45 min"),
        (172_800, "fr", "48 h"),
        (9_000, "en", "2 h 30 min"),
        (59, "fr", "1 min"),
        (0, "fr", "0 min"),
        (7_199, "fr", "2 h"),
    ],
)
def test_a_duration(seconds: int, language: str, expected: str) -> None:
    assert plain(formats.duration(seconds, language)) == expected


@pytest.mark.parametrize(
    "seconds, language, expected",
    [
        (172_800, "fr", "48 heures ouvrées"),
        (3_600, "fr", "1 heure ouvrée"),
        (9_000, "fr", "2 h 30 de temps ouvré"),
        (172_800, "en", "48 working hours"),
        (3_600, "en", "1 working hour"),
    ],
)
def test_a_working_duration(seconds: int, language: str, expected: str) -> None:
    assert plain(formats.working_duration(seconds, language)) == expected


def test_a_reference_is_spaced_unless_it_has_separators() -> None:
    assert plain(formats.reference("K7M2Q9XC")) == "K7M2 Q9XC"
    assert formats.reference("VO-2026-14") == "VO-2026-14"
