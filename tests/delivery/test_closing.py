"""A client of Kafka is closed whatever state it is in, and nobody else is cancelled by it."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError

from deploy.local.address import Kafka
from deploy.local.kafka import KafkaServer
from shared.delivery import closing
from shared.delivery.log_ends import LogEnds
from shared.delivery.log_reader import LogReader
from shared.events.topics import REQUESTS
from tests.delivery.log import publish
from tests.delivery.sample import added


class Piece:
    def __init__(self) -> None:
        self.closed = False

    async def close(self) -> None:
        self.closed = True


class Consumer:
    """aiokafka's, as far as it is closed."""

    def __init__(self, end: BaseException | None) -> None:
        self._end = end
        self._fetcher, self._client = Piece(), Piece()

    async def stop(self) -> None:
        if self._end is None:
            await asyncio.Event().wait()
        else:
            raise self._end


@pytest.mark.parametrize(
    "end",
    [asyncio.CancelledError(), RuntimeError("closed transport"), None],
    ids=["a task of its own was cancelled", "an error", "it hangs"],
)
async def test_what_a_client_that_does_not_stop_leaves_behind_is_closed(
    end: BaseException | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "STOP_SECONDS", 0.05)
    consumer = Consumer(end)

    await closing.close(consumer)
    assert (consumer._fetcher.closed, consumer._client.closed) == (True, True)


@pytest.mark.integration
async def test_who_asks_where_the_log_ends_while_kafka_goes_away_gets_no_answer_and_is_not_cancelled(kafka_server: Kafka) -> None:
    """Its client has just started, and is given up."""

    async def fail(_client: object) -> int:
        raise KafkaConnectionError

    assert await LogEnds(kafka_server.bootstrap)._ask(fail) is None


@pytest.mark.integration
@pytest.mark.slow
async def test_who_reads_the_log_while_kafka_dies_gets_an_error_and_is_not_cancelled(empty_log: KafkaServer) -> None:
    """Its fetches fail, and rest until their next try, when the reader is closed."""
    await publish(empty_log, added(1, "a"))
    alive = True

    def tell(done: int, _all: int) -> None:
        nonlocal alive
        if not alive:
            raise ConnectionError
        if done:
            empty_log.kill()
            alive = False

    try:
        with pytest.raises(ConnectionError):
            async with LogReader(empty_log.bootstrap, (REQUESTS,)) as reader:
                bounds = await reader.find_bounds()
                beyond = {place: (begin, end + 1) for place, (begin, end) in bounds.items()}
                async for _ in reader.read(beyond, tell):
                    pass
    finally:
        empty_log.restart()
