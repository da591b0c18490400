"""What services ask of an authority."""

import copy
import pickle
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.organisation import Authority, ServiceClosure, UnknownCode, load
from tests.organisation.conftest import SHIPPED, Edit

TOWN = load(SHIPPED).authority("rivemont")
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_forty_eight_hours_of_opening_are_announced_by_default(town: Authority) -> None:
    promise = town.promise_for("web", "education", "cantine")

    assert (promise.code, promise.working_seconds, promise.warn_after_seconds) == ("defaut", 48 * 3600, 36 * 3600)
    # From Mon 10:00 in Paris: 6 h, Tue to Thu 7 h 30 each, Fri 6 h 30, Mon 7 h 30 make 42 h 30. Tue: 5 h 30, 15:30.
    due = town.calendar_of("education").due(MONDAY, promise.working_seconds)
    assert due == datetime(2026, 12, 1, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("channel", "service", "category", "promise"),
    [
        ("web", "voirie", "danger-voirie", "danger"),
        ("instagram", "voirie", "danger-voirie", "danger"),
        ("instagram", "voirie", None, "reseaux-sociaux"),
        ("web", "police-municipale", "bruit", "tranquillite"),
        ("procedure", "urbanisme", "permis-construire", "demarches"),
        ("email", "maire", None, "elus"),
        ("desk", "accueil", None, "defaut"),
    ],
)
def test_the_first_promise_that_fits(channel: str, service: str, category: str | None, promise: str) -> None:
    assert TOWN.promise_for(channel, service, category).code == promise  # type: ignore[arg-type]  # all are channels


@given(
    channel=st.sampled_from(["web", "email", "messenger", "procedure", "phone", "adapter"]),
    service=st.sampled_from(list(TOWN.services)),
    category=st.none() | st.sampled_from(list(TOWN.categories)),
)
def test_whatever_is_asked_something_is_promised(channel: str, service: str, category: str | None) -> None:
    promise = TOWN.promise_for(channel, service, category)  # type: ignore[arg-type]  # all are channels
    assert TOWN.ladder(promise.ladder).levels[0].level == 1


def test_escalations_fall_upward_when_nobody_is_there(town: Authority) -> None:
    assert town.recipient("voirie", "cover") == "espaces-verts@rivemont.example"
    assert town.recipient("espaces-verts", "cover") == "l.leguennec@rivemont.example"
    assert town.recipient("adjointe-education", "head_of_service") == "dgs@rivemont.example"
    assert town.recipient("voirie", "general_management") == "dgs@rivemont.example"
    assert town.recipient("voirie", "service") == town.mailbox("voirie") == "voirie@rivemont.example"


def test_a_closed_cover_is_passed_over(folder: Path, edit: Edit) -> None:
    edit(
        "rivemont/services.yaml",
        "cover: null\n    order: 70",
        "closed: {from: 2026-11-01, reason: tempête}\n    order: 70",
    )
    edit("rivemont/services.yaml", "closed: {from", "cover: etat-civil\n    closed: {from")
    town = load(folder).authority("rivemont")

    assert town.recipient("voirie", "cover", at=MONDAY) == "etat-civil@rivemont.example"
    assert town.recipient("voirie", "cover") == "espaces-verts@rivemont.example"


def test_a_closed_service_is_closed_on_its_local_days() -> None:
    closed = ServiceClosure.model_validate({"from": "2026-06-01", "until": "2026-06-02", "reason": "travaux"})

    assert [closed.covers(date(2026, 6, day)) for day in (1, 2, 3)] == [True, True, False]
    assert not TOWN.is_open("culture", MONDAY)
    assert TOWN.is_open("voirie", MONDAY)
    # 23:30 UTC on 4 January is already the 5th in Paris.
    assert not TOWN.is_open("culture", datetime(2026, 1, 4, 23, 30, tzinfo=UTC))
    assert TOWN.is_open("culture", datetime(2026, 1, 4, 22, 30, tzinfo=UTC))


def test_the_contact_of_a_receipt_is_always_complete(town: Authority) -> None:
    assert town.service("urbanisme").contact(town).postal_address[1] == "14 quai des Tanneurs"
    assert town.service("urbanisme").contact(town).email == "contact@rivemont.example"
    assert town.service("maire").contact(town).name == "Marianne Chastel, Maire"
    mailboxes = {service.mailbox for service in town.services.values()}
    assert not mailboxes & {service.contact(town).email for service in town.services.values()}


def test_the_public_list_shows_departments_then_the_elected(town: Authority) -> None:
    codes = [service.code for service in town.services_public()]

    assert codes[0] == "accueil"
    assert codes[-2:] == ["maire", "adjointe-education"]
    assert len(codes) == 14


def test_codes_from_outside_are_found_or_not_and_codes_from_inside_must_exist(town: Authority) -> None:
    assert town.find_service("piscine") is None
    assert town.find_service(None) is None
    with pytest.raises(UnknownCode, match="rivemont has no service 'voiries', did you mean 'voirie'"):
        town.service("voiries")
    with pytest.raises(UnknownCode, match="no authority 'rivmont' is installed, did you mean 'rivemont'"):
        load(SHIPPED).authority("rivmont")


def test_the_front_desk_and_the_same_calendar_object_each_time(town: Authority) -> None:
    assert town.front_desk_service.code == "accueil"
    assert town.calendar_of("accueil") is town.calendar_of("etat-civil")
    assert [category.code for category in town.categories_of("accueil")] == ["question", "objet-trouve", "reclamation"]


def test_values_are_frozen_and_can_be_copied(town: Authority) -> None:
    service = town.service("voirie")

    with pytest.raises(ValueError, match="frozen"):
        service.name = "Autre"  # type: ignore[misc]  # that is the point
    assert pickle.loads(pickle.dumps(service)) == copy.deepcopy(service) == service


@pytest.mark.parametrize(
    ("asked", "owner"), [("voirie", "voirie"), ("culture", "accueil"), ("piscine", "accueil"), (None, "accueil")]
)
def test_who_will_own_it_is_the_chosen_service_if_it_exists_and_is_open(asked: str | None, owner: str) -> None:
    assert TOWN.owner_to_be(asked, MONDAY).code == owner
    assert not TOWN.is_open("culture", MONDAY)
