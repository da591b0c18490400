"""Where each partition is read. Without a server."""

import uuid
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

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


async def test_a_position_that_was_turned_back_is_followed_though_kafka_was_away_when_it_was_seen() -> None:
    """Nothing new comes in that partition: nobody else would find it."""
    client, asked = Client(at=9), 0

    async def find_ends(_places: object) -> Any:
        nonlocal asked
        asked += 1
        return None if asked == 2 else {PLACE: (0, 9)}

    async def identify(_topics: object) -> Any:
        return LOGS

    async def find_positions() -> Any:
        return {PLACE: 0}

    async def turn_back_replaced(_logs: object) -> Any:
        return {}

    positions = SimpleNamespace(find=find_positions, turn_back_replaced=turn_back_replaced)
    shell: Any = SimpleNamespace(
        service=SimpleNamespace(name="router"), positions=positions, gate=SimpleNamespace(is_open=True), log=get_log("router")
    )
    ends: Any = SimpleNamespace(find=find_ends, identify=identify)
    places = Places(shell, SimpleNamespace(consumer=client), ends)

    await places.follow()
    assert client.at == 9, "Kafka did not say where its log begins"
    await places.follow()
    assert client.at == 0
