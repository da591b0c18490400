"""Every topic has a writer and readers that exist; every event is in one topic; every service's tables fit its topics."""

import importlib
import io
import re
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from pydantic import BaseModel

from shared.delivery.tables import TABLES, counters
from shared.events import escalations, handling, inbound, notifications, requests
from shared.events.topics import SERVICES, TOPICS, consumed_by, dead_letters, produced_by
from tests.architecture.test_subscribers import service_of
from tests.architecture.tree import ROOT, modules

_EVENTS: tuple[ModuleType, ...] = (requests, handling, escalations, notifications, inbound)
_OTHERS = {"channel adapters", "business software"}
"""Who writes and reads besides our services."""
_TYPE = re.compile(r"fr\.aiguilleur\.[a-z_]+\.[a-z_]+\.v[1-9][0-9]*")


def event_classes() -> set[type[BaseModel]]:
    return {
        one
        for module in _EVENTS
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, BaseModel) and one.__module__ == module.__name__ and "type_" in vars(one)
    }


def test_every_topic_has_a_writer_and_readers_that_exist() -> None:
    for topic in TOPICS:
        assert topic.producer in {*SERVICES, *_OTHERS}, topic.name
        assert topic.consumers and set(topic.consumers) <= {*SERVICES, *_OTHERS}, topic.name
        assert topic.producer not in topic.consumers, f"{topic.name}: its writer reads what it has just said"
        assert topic.sequenced == (topic.producer in SERVICES), f"{topic.name}: one writer of ours, so numbered; else not"


def test_names_of_topics_are_unique_and_carry_a_version() -> None:
    names = [topic.name for topic in TOPICS]
    letters = [dead_letters(topic, reader) for topic in TOPICS for reader in topic.consumers if reader in SERVICES]
    assert len({*names, *letters}) == len(names) + len(letters)
    assert all(re.fullmatch(r"[a-z.]+\.v[1-9][0-9]*", name) for name in names)


def test_every_event_is_in_one_topic() -> None:
    where = Counter(cls for topic in TOPICS for cls in topic.types)
    assert event_classes() == set(where), "an event without a topic, or a topic with a class that is no event"
    assert set(where.values()) == {1}, "an event in two topics"
    types: list[str] = [cls.type_ for cls in where]  # type: ignore[attr-defined]  # event classes have one
    assert len(set(types)) == len(types)
    assert all(_TYPE.fullmatch(name) for name in types)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_reads_and_writes_what_the_topics_say(name: str) -> None:
    service = service_of(name)
    assert service.name == name
    assert service.consumes == consumed_by(name)
    assert service.produces == produced_by(name)
    assert service.consumes, "a service that reads nothing"


# --- tables --------------------------------------------------------------------------------------------------------------


def ddl_of(schema: str) -> str:
    """All that the migrations of a service do, as SQL."""
    folder = ROOT / "services" / schema / "migrations"
    written = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written})
    with Operations.context(context):
        for path in sorted(folder.glob("[0-9]*.py")):
            _load(path).upgrade()
    return written.getvalue()


def _load(path: Path) -> Any:
    specification = importlib.util.spec_from_file_location(f"migration_{path.parent.parent.name}_{path.stem}", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", SERVICES)
def test_the_tables_of_a_service_fit_its_topics(name: str) -> None:
    service, ddl = service_of(name), ddl_of(name)
    seen, sent = counters(service)
    assert sorted(set(re.findall(r"\b(?:seen|sent)_\w+", ddl))) == sorted((*seen, *sent))
    created = set(re.findall(rf"CREATE TABLE (?:IF NOT EXISTS )?{name}\.(\w+)", ddl))
    assert created == {*TABLES, *service.tables}, "a table that a rebuild would not fill, or that no migration creates"


@pytest.mark.parametrize("name", SERVICES)
def test_migrations_follow_one_another(name: str) -> None:
    migrations = [_load(path) for path in sorted((ROOT / "services" / name / "migrations").glob("[0-9]*.py"))]
    revisions = [migration.revision for migration in migrations]
    assert [migration.down_revision for migration in migrations] == [None, *revisions[:-1]]
    assert all(revision == f"{name}_{place:04}" for place, revision in enumerate(revisions, start=1))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_speaks_sql_of_its_own_schema_only(name: str) -> None:
    schemas = "|".join((*SERVICES, "vault"))
    spoken = re.compile(rf"\b(?:FROM|INTO|UPDATE|JOIN|TABLE|USING|ON)\s+({schemas})\.\w+")
    found = {schema for module in modules(f"services/{name}") for schema in spoken.findall(module.text)}
    allowed = {name} | ({"vault"} if name in ("intake", "router", "notifier") else set())
    assert found <= allowed


def test_sql_of_a_service_stands_in_its_store_and_migrations() -> None:
    sql = re.compile(
        r"\b(?:SELECT\s.+\sFROM|INSERT INTO|DELETE FROM|UPDATE)\s+(?:intake|router|sla|notifier|stats|vault)\.", re.DOTALL
    )
    found = [
        module.path
        for module in modules("services")
        if sql.search(module.text) and not module.path.endswith("/store.py") and "/migrations/" not in module.path
    ]
    assert not found
