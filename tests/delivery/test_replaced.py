"""A log that was lost and made anew is read from its beginning, however long it is by the time that somebody looks."""

import asyncio
import uuid
from uuid import UUID

import pytest

from deploy.local.kafka import KafkaServer
from shared.delivery.log_ends import LogEnds
from tests.delivery.bench import Bench
from tests.delivery.conftest import make_topics_anew
from tests.delivery.log import consuming, equals, is_zero, publish, until
from tests.delivery.sample import added

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def heard(bench: Bench, *requests: UUID) -> int:
    """How many of these requests the service has heard of."""
    return int(await bench.pool.fetchval("SELECT count(*) FROM notifier.heard WHERE request_id = ANY($1)", list(requests)))


async def unknown(bench: Bench) -> int:
    """How many partitions stand in a log whose identity was not noted yet."""
    return int(await bench.pool.fetchval("SELECT count(*) FROM notifier.position WHERE log IS NULL"))


@pytest.mark.parametrize("running", [True, False])
async def test_a_log_that_outgrew_the_old_one_at_once_is_read_from_its_beginning(
    bench: Bench, empty_log: KafkaServer, *, running: bool
) -> None:
    old, new = [uuid.uuid4() for _ in range(12)], [uuid.uuid4() for _ in range(90)]
    await publish(empty_log, *(added(1, "a", request_id) for request_id in old))
    async with consuming(bench, empty_log):
        await until(lambda: equals(heard(bench, *old), len(old)))
        await until(lambda: is_zero(unknown(bench)))
        if running:
            await _lose(empty_log, new)
            await until(lambda: equals(heard(bench, *new), len(new)))
    if not running:
        await _lose(empty_log, new)
        async with consuming(bench, empty_log):
            await until(lambda: equals(heard(bench, *new), len(new)))

    said = [request_id for request_id, _ in await bench.said()]
    assert len(said) == len(set(said)) == len(old) + len(new)


async def _lose(broker: KafkaServer, new: list[UUID]) -> None:
    await make_topics_anew(broker)
    await publish(broker, *(added(1, "a", request_id) for request_id in new))


async def test_nothing_is_taken_before_it_is_known_which_log_it_is_of(
    bench: Bench, empty_log: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, looks, identify = True, 0, LogEnds.identify

    async def ask(ends: LogEnds, topics: set[str]) -> dict[str, UUID]:
        nonlocal looks
        looks += 1
        return {} if silent else await identify(ends, topics)

    async def asked_since_it_began() -> bool:
        return looks >= 4

    monkeypatch.setattr(LogEnds, "identify", ask)
    requests = [uuid.uuid4() for _ in range(12)]
    await publish(empty_log, *(added(1, "a", request_id) for request_id in requests))
    async with consuming(bench, empty_log) as consumer:
        await until(asked_since_it_began)
        await asyncio.sleep(1)
        assert consumer.connected and await heard(bench, *requests) == 0
        silent = False
        await until(lambda: equals(heard(bench, *requests), len(requests)))
        assert await unknown(bench) == 0

    assert len(await bench.said()) == len(requests)
