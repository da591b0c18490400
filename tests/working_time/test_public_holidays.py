"""Our list of legal holidays against the published one and against a package that thousands use."""

from datetime import date

import holidays
import pytest

from shared.working_time import ZONES, public_holidays
from tests.working_time.oracle import HOLIDAYS


@pytest.mark.parametrize("year", [2024, 2025, 2026, 2027])
def test_metropole_is_the_published_list(year: int) -> None:
    assert set(public_holidays("metropole", year)) == {day for day in HOLIDAYS if day.year == year}


@pytest.mark.parametrize(("zone", "subdivision"), [("metropole", None), ("alsace-moselle-temple", "57"), ("reunion", "974")])
def test_same_days_as_the_holidays_package(zone: str, subdivision: str | None) -> None:
    # Before 2008 the package leaves out Whit Monday, a holiday that was worked as the "day of solidarity".
    for year in range(2008, 2080):
        assert set(public_holidays(zone, year)) == set(holidays.country_holidays("FR", subdivision, year)), year


def test_eleven_days_unless_two_fall_together() -> None:
    assert len(public_holidays("metropole", 2026)) == 11
    assert len(public_holidays("metropole", 2008)) == 10
    assert public_holidays("metropole", 2008)[date(2008, 5, 1)] == "1er mai"


def test_an_unknown_zone_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=", ".join(ZONES)):
        public_holidays("bretagne", 2026)
