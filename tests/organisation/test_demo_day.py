"""The day of the demonstration fits the configuration and shows what it must show."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.demo.day import DemoDay, disagreements, next_working_tuesday, read_demo_day
from shared.organisation import Installation, load

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture(scope="module")
def installation() -> Installation:
    return load(DEPLOY / "organisation")


@pytest.fixture(scope="module")
def day() -> DemoDay:
    return read_demo_day(DEPLOY / "demo" / "requests.yaml")


def test_every_request_could_be_typed_into_its_form(day: DemoDay, installation: Installation) -> None:
    faults = {r.email: faults for r in day.requests if (faults := list(disagreements(r, installation)))}
    assert faults == {}


def test_requests_are_in_the_order_of_the_day_and_from_different_people(day: DemoDay) -> None:
    assert [r.at for r in day.requests] == sorted(r.at for r in day.requests)
    assert max(Counter(r.email for r in day.requests).values()) == 1


def test_every_service_and_every_elected_official_is_asked(day: DemoDay, installation: Installation) -> None:
    asked = {(r.authority, r.service) for r in day.requests}
    for authority in installation.authorities.values():
        assert {(authority.code, service) for service in authority.services} <= asked
    assert len(day.requests) >= 70


def test_the_hard_cases_are_there(day: DemoDay) -> None:
    town = [r for r in day.requests if r.authority == "rivemont"]

    assert sum(r.service is None for r in town) >= 3
    assert [r.service for r in town if r.service == "piscine"], "an unknown service"
    assert [r for r in town if r.service == "culture"], "a closed service"
    assert [r for r in town if r.name is None]
    assert sum(r.language == "en" for r in town) >= 2
    assert [r for r in town if "<script>" in r.text]
    assert max(len(r.text) for r in town) > 2000
    assert sum("transfer" in r.agent for r in town) >= 4
    assert sum(not r.agent for r in day.requests) >= 5, "left alone: warning and escalation"


@pytest.mark.parametrize(
    ("today", "tuesday"),
    [
        (date(2026, 11, 24), date(2026, 11, 24)),
        (date(2026, 11, 25), date(2026, 12, 1)),
        (date(2026, 7, 8), date(2026, 7, 21)),  # 14 July 2026 is a Tuesday
        (date(2029, 12, 24), date(2030, 1, 8)),  # Christmas, and then New Year's Day
    ],
)
def test_it_is_played_on_a_tuesday_on_which_the_services_are_open(today: date, tuesday: date) -> None:
    assert next_working_tuesday(today) == tuesday


def test_texts_that_people_read_have_one_kind_of_apostrophe() -> None:
    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            for one in value.values() if isinstance(value, dict) else value:
                yield from texts(one)

    files = [YAML(typ="safe").load(path) for path in (DEPLOY / "organisation").glob("*/*.yaml")]
    assert [text for file in files for text in texts(file) if "'" in text] == []
