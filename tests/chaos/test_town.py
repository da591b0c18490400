"""A town with copies: each process has a name and ways of its own; what is said of a service is said of all its processes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.town import names_of, service_of
from shared.clock import FileClock
from shared.events.topics import SERVICES
from tests.chaos.town import LINKS, ChaosTown, links_of, meet

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
DSN = "postgresql://admin:secret@127.0.0.1:1/server"


@pytest.fixture
def town(tmp_path: Path) -> ChaosTown:
    names = tuple(name for one in SERVICES for name in names_of(one, 2 if one == "router" else 1))
    detours = {link: f"127.0.0.1:{20_000 + number}" for number, link in enumerate(links_of(names))}
    return ChaosTown(
        tmp_path, kafka="127.0.0.1:2", admin_dsn=DSN, smtp="smtp://127.0.0.1:3", detours=detours, copies={"router": 2}
    )


def test_two_copies_are_told_apart_in_all_that_is_their_own(town: ChaosTown) -> None:
    assert town.names() == ("intake", "router-0", "router-1", "sla", "notifier", "stats")
    first, second = (town.environment(name) for name in town.names("router"))
    own = {name for name in first if first[name] != second[name]}
    assert own == {
        "AIGUILLEUR_INSTANCE",
        "AIGUILLEUR_KAFKA",
        "AIGUILLEUR_POINTS",
        "AIGUILLEUR_CLOCK_FILE",
        "AIGUILLEUR_ROUTER_DATABASE",
        "AIGUILLEUR_ROUTER_PORT",
    }
    assert "AIGUILLEUR_INSTANCE" not in town.environment("sla")


def test_what_is_said_of_a_service_is_of_all_its_processes(town: ChaosTown) -> None:
    assert town.links("kafka.router") == ["kafka.router-0", "kafka.router-1"]
    assert town.links("kafka.router-1") == ["kafka.router-1"]
    assert [one.parent.name for one in town.arm("router", "start.gate")] == ["router-0", "router-1"]
    assert town.own_url("router") == town.own_url("router-0") != town.own_url("router-1")
    town.set_clock(NOW, speed=0.0)
    town.skew("router-1", timedelta(hours=1))
    shown = [FileClock(Path(town.environment(name)["AIGUILLEUR_CLOCK_FILE"])).now() for name in town.names()]
    assert [abs(one - NOW) < timedelta(minutes=1) for one in shown] == [True, True, False, True, True, True]


def test_people_come_through_a_way_of_their_own_and_who_looks_after_a_process_does_not(town: ChaosTown) -> None:
    told = town.environment("notifier")
    assert town.url("intake") == f"http://{town.detours['clients.intake']}" == told["AIGUILLEUR_SITE_URL"]
    assert town.url("router") == f"http://{town.detours['clients.router-0']}" == told["AIGUILLEUR_AGENTS_URL"]
    assert town.own_url("router-1") == f"http://127.0.0.1:{town.ports['router-1']}" != town.url("router-1")
    assert town.url("stats") == town.own_url("stats"), "nobody's way leads there"


def test_names_meet_where_they_have_a_process_in_common() -> None:
    assert meet("router", "router-1") and meet("router-1", "router") and meet("stats", "stats")
    assert not meet("router-0", "router-1") and not meet("router", "stats")
    assert {service_of(one) for one in LINKS if one.startswith("kafka.")} == {f"kafka.{one}" for one in SERVICES}
