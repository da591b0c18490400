"""A client of Kafka is closed whatever state it is in, and nobody else is cancelled by it."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
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
    """A part of aiokafka's client, with the tasks that it keeps."""

    def __init__(self) -> None:
        self._task = asyncio.create_task(on())
        self._pending_tasks = {asyncio.create_task(on())}
        self._conns: dict[tuple[int, int], Connection] = {}
        self.closed = False

    async def close(self) -> None:
        self.closed = True

    @property
    def ended(self) -> bool:
        return all(task.done() for task in (self._task, *self._pending_tasks))


class Client:
    """aiokafka's consumer, as far as it is closed."""

    def __init__(self, end: BaseException | float) -> None:
        self._closed = False
        self._end = end
        self._coordinator, self._fetcher, self._client = Piece(), Piece(), Piece()

    async def start(self) -> None:
        raise KafkaConnectionError

    async def stop(self) -> None:
        if self._closed:
            return
        self._closed = True
        if isinstance(self._end, BaseException):
            raise self._end
        await asyncio.sleep(self._end)
        await self._client.close()

    @property
    def left(self) -> list[str]:
        """What is still there of it."""
        parts = {"coordinator": self._coordinator.ended, "fetcher": self._fetcher.ended, "connections": self._client.closed}
        return [name for name, gone in parts.items() if not gone]


class Connection:
    """One whose peer does not read."""

    def __init__(self) -> None:
        self._writer = SimpleNamespace(transport=self)
        self.aborted, self.closed = False, asyncio.get_running_loop().create_future()

    def abort(self) -> None:
        self.aborted = True

    def close(self, *, reason: object) -> "asyncio.Future[None]":
        assert reason
        if not self.closed.done():
            self.closed.set_result(None)
        return self.closed


class Batch:
    """What a producer is to send."""

    def __init__(self) -> None:
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def failure(self, error: Exception) -> None:
        self.future.set_exception(error)


async def on() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise RuntimeError("closed transport")


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "STOP_SECONDS", 0.05)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    "end",
    [asyncio.CancelledError(), RuntimeError("closed transport"), 60.0],
    ids=["a task of its own was cancelled", "an error", "it hangs"],
)
async def test_what_a_client_that_does_not_stop_leaves_behind_is_ended(end: BaseException | float) -> None:
    client = Client(end)

    await closing.close(client)
    await asyncio.sleep(0)
    assert client.left == []


@pytest.mark.usefixtures("soon")
async def test_a_client_that_somebody_began_to_stop_is_ended() -> None:
    client = Client(60.0)
    assert await closing.attempt(client.stop(), seconds=0.01) == "TimeoutError"

    await closing.close(client)
    await asyncio.sleep(0)
    assert client.left == []


@pytest.mark.usefixtures("soon")
async def test_a_client_is_ended_though_who_waits_for_it_has_no_time_left() -> None:
    client = Client(60.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await closing.close(client)
    assert client.left

    await asyncio.wait(set(closing._under_way))
    assert client.left == []


async def test_the_connections_of_a_client_that_learns_of_no_broker_any_more_are_closed() -> None:
    """uvloop raises what aiokafka's loop does not expect; it comes out of each try to close."""
    client, connection = AIOKafkaConsumer(bootstrap_servers="127.0.0.1:9"), Connection()
    client._client._conns[0, 0] = connection
    client._client._sync_task = asyncio.create_task(fail())
    await asyncio.sleep(0)

    await closing.close(client)
    assert (connection.aborted, connection.closed.done()) == (True, True)


@pytest.mark.usefixtures("soon")
async def test_a_producer_that_waits_for_a_broker_is_ended_and_sends_no_more() -> None:
    producer, batch, back = AIOKafkaProducer(bootstrap_servers="127.0.0.1:9"), Batch(), asyncio.Event()
    sent: list[object] = []
    waiting = [({0: {REQUESTS.name: batch}}, False)]

    async def send(_node: object, batches: object) -> None:
        await back.wait()
        sent.append(batches)

    producer._message_accumulator._pending_batches.add(batch)
    producer._message_accumulator.drain_by_nodes = lambda **_: waiting.pop() if waiting else ({}, False)
    producer._sender._send_produce_req = send
    before = asyncio.all_tasks()
    await producer._sender.start()
    await asyncio.sleep(0.01)

    await closing.close(producer)
    back.set()
    await asyncio.sleep(0.01)
    assert sent == []
    assert asyncio.all_tasks() <= before, "neither its sender nor who waits until it has sent all"
    assert isinstance(batch.future.exception(), KafkaConnectionError)


async def test_a_reader_of_the_log_that_cannot_start_leaves_nothing_behind() -> None:
    reader, client = LogReader("127.0.0.1:9", (REQUESTS,)), Client(asyncio.CancelledError())
    reader._consumer = client
    with pytest.raises(KafkaConnectionError):
        await reader.__aenter__()
    await asyncio.sleep(0)
    assert client.left == []


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
