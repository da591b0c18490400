"""Hostile records to each service, one by one: each is put aside with its bytes, a reason and a copy that Kafka takes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deploy.local import address
from shared.app import App
from shared.events.topics import Topic
from tests.conftest import fresh_database
from tests.fuzz.matrix import PAIRS, meet_all, open_readers

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def readers(
    postgres_server: address.Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, App[Any]]]:
    async with (
        fresh_database(postgres_server.dsn) as admin_dsn,
        open_readers(admin_dsn, tmp_path_factory.mktemp("readers")) as apps,
    ):
        yield apps


@pytest.mark.parametrize(("service", "topic"), PAIRS, ids=[f"{service}-{topic.name}" for service, topic in PAIRS])
async def test_no_record_hurts_a_service_or_another_request(readers: dict[str, App[Any]], service: str, topic: Topic) -> None:
    """The large ones on one topic of each service; the proof `hostile` has all of them."""
    heavy = (service, topic) in {service: (service, topic) for service, topic in reversed(PAIRS)}.values()

    seen = await meet_all(readers[service], topic, heavy=heavy)

    assert not seen.faults, "\n".join(seen.faults)
    assert seen.parked > 50
    assert seen.taken > 5
    assert seen.dropped == 2
    assert (seen.refused > 5) == (topic.name == "commands.v1"), "the router answers what it does not do"
