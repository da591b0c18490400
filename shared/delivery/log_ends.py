"""Where the log begins and ends, asked over a connection that nothing else uses."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.delivery.closing import close
from shared.delivery.store import Place
from shared.delivery.topic_ids import find_topic_ids

T = TypeVar("T")
ANSWER_SECONDS = 5.0
REPLACED_LOOKS = 3
"""How often in a row the log must end below our position before it counts as another one: a new leader may say less at first."""


class ShortLogs:
    """The partitions that were seen to end below our position: that position, and how often."""

    def __init__(self) -> None:
        self._seen: dict[Place, tuple[int, int]] = {}

    def look(self, place: Place, *, position: int, end: int) -> bool:
        """Tell whether a partition ended below a position that stood still, several times in a row."""
        if end >= position:
            self.forget(place)
            return False
        before, times = self._seen.get(place, (position, 0))
        self._seen[place] = (position, times + 1 if before == position else 1)
        return self._seen[place][1] >= REPLACED_LOOKS

    def forget(self, place: Place) -> None:
        """Begin to count anew."""
        self._seen.pop(place, None)


class LogEnds:
    """Asks the broker. Its own client: it answers although the consumer's has died without an error, and tells the two apart."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._client: AIOKafkaConsumer | None = None
        self._asking = asyncio.Lock()

    async def find(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]] | None:
        """Return per partition the first offset that is left and the one after the last; None: Kafka does not answer."""
        partitions = [TopicPartition(*place) for place in places]

        async def ask(client: AIOKafkaConsumer) -> dict[Place, tuple[int, int]]:
            begins = await client.beginning_offsets(partitions)
            ends = await client.end_offsets(partitions)
            return {(one.topic, one.partition): (begins[one], ends[one]) for one in partitions if one in begins and one in ends}

        return await self._ask(ask)

    async def identify(self, topics: set[str]) -> dict[str, UUID]:
        """Return the identity of each of these topics that exists; of none, when Kafka does not answer."""
        return await self._ask(lambda client: find_topic_ids(client._client, topics)) or {}

    async def _ask(self, question: Callable[[AIOKafkaConsumer], Awaitable[T]]) -> T | None:
        """Return the answer. None: there is none, or another question has waited for its own all the time."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._asking:
                try:
                    return await question(await self._started())
                except BaseException:
                    await self._close()
                    raise
        except (KafkaError, OSError, TimeoutError):
            return None

    async def _started(self) -> AIOKafkaConsumer:
        if self._client is None:
            client = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
            try:
                await client.start()
            except BaseException:
                await close(client)
                raise
            self._client = client
        return self._client

    async def close(self) -> None:
        """Give the connection up."""
        async with self._asking:
            await self._close()

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await close(client)
