"""Where each partition is read. Without a server."""

import uuid
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from shared.delivery.log_ends import REPLACED_LOOKS
from shared.delivery.places import Places
from shared.log import get_log

PLACE = ("requests.v1", 0)
LOGS = {"requests.v1": uuid.uuid4()}


class Client:
    """Kafka's client, as far as it is sent somewhere."""

    def __init__(self, at: int) -> None:
        self.at = at

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(*PLACE)}

    async def position(self, _place: TopicPartition) -> int:
        return self.at

    def seek(self, _place: TopicPartition, offset: int) -> None:
        self.at = offset


class Log:
    """One partition: where PostgreSQL says that we are, and where it ends; at some questions Kafka is away."""

    def __init__(self, *, position: int, end: int, away_at: int) -> None:
        self._position, self._end, self._away_at = position, end, away_at
        self._asked = 0

    async def find_ends(self, _places: object) -> Any:
        self._asked += 1
        return None if self._asked == self._away_at else {PLACE: (0, self._end)}

    async def find_positions(self) -> Any:
        return {PLACE: self._position}

    async def move(self, _place: object, offset: int, *, seen: int) -> bool:
        moved, self._position = self._position == seen, offset
        return moved

    async def identify(self, _topics: object) -> Any:
        return LOGS

    async def turn_back_replaced(self, _logs: object) -> Any:
        return {}


def places_of(log: Log, client: Client) -> Places:
    positions = SimpleNamespace(find=log.find_positions, move=log.move, turn_back_replaced=log.turn_back_replaced)
    service, gate = SimpleNamespace(name="router"), SimpleNamespace(is_open=True)
    shell: Any = SimpleNamespace(service=service, positions=positions, gate=gate, log=get_log("router"))
    ends: Any = SimpleNamespace(find=log.find_ends, identify=log.identify)
    return Places(shell, SimpleNamespace(consumer=client), ends)


async def test_a_position_that_was_turned_back_is_followed_though_kafka_was_away_when_it_was_seen() -> None:
    """Nothing new comes in that partition: nobody else would find it."""
    client = Client(at=9)
    places = places_of(Log(position=0, end=9, away_at=2), client)

    await places.follow()
    assert client.at == 9, "Kafka did not say where its log begins"
    await places.follow()
    assert client.at == 0


async def test_a_log_that_was_lost_is_read_from_its_beginning_though_kafka_was_away_when_it_was_seen() -> None:
    client = Client(at=9)
    places = places_of(Log(position=9, end=3, away_at=REPLACED_LOOKS + 1), client)

    for _ in range(REPLACED_LOOKS):
        await places.follow()
    assert client.at == 9, "Kafka did not say where its log begins"
    await places.follow()
    assert client.at == 0


async def test_a_client_that_is_ended_meanwhile_is_sent_nowhere() -> None:
    places = places_of(Log(position=0, end=9, away_at=0), Client(at=9))
    subscriber = places._subscriber

    async def end(_places: object) -> Any:
        subscriber.consumer = None
        return {PLACE: (0, 9)}

    places._ends.find = end  # type: ignore[assignment, method-assign]
    await places.follow()
    assert places._followed == set()
