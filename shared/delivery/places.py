"""Where each partition is read, and of which log: PostgreSQL has the say, Kafka's client is sent there."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared import metrics
from shared.delivery.batches import Batches
from shared.delivery.errors import Unavailable
from shared.delivery.log_ends import LogEnds, ShortLogs
from shared.delivery.points import reach
from shared.delivery.prefetch import Prefetch
from shared.delivery.shell import Shell
from shared.delivery.store import Place

LOOK_SECONDS = 1.0


class Places:
    """The places of one consumer."""

    def __init__(self, shell: Shell[Any], subscriber: Any, ends: LogEnds) -> None:
        self._name = shell.service.name
        self._positions, self._gate, self._log = shell.positions, shell.gate, shell.log
        self._ends = ends
        self._subscriber = subscriber
        self.prefetch: Prefetch | None = None
        """What waits to be taken."""
        self._followed: set[Place] = set()
        self._short = ShortLogs()
        self.taken: dict[Place, int] = {}
        """The offset after the last one that was taken, as far as this consumer knows."""
        self.logs: Mapping[str, UUID] = {}
        """The identity of each topic, as it was last seen. Replaced, never changed: a batch in hand keeps its own.

        Always asked before what is taken for it was fetched: an older log than it is of is found out later, a newer one never.
        """

    @property
    def _client(self) -> Any:  # AIOKafkaConsumer, which carries no types
        return self._subscriber.consumer

    async def ask_for_logs(self, topics: set[str]) -> None:
        """Learn which logs these topics are, as far as Kafka answers."""
        self._read_from(await self._ends.identify(topics))

    async def get_to_know(self, topics: set[str]) -> None:
        """Ask, until Kafka answers, which logs these topics are."""
        while topics - self.logs.keys():
            await self.ask_for_logs(topics)
            if topics - self.logs.keys():
                await asyncio.sleep(LOOK_SECONDS)

    def fetch_again(self, batches: Batches) -> None:
        """Fetch these records anew."""
        for place, mine in batches.items():
            self._fetch_from(place, mine[0].offset)

    async def seek(self, place: Place, position: int) -> bool:
        """Fetch again from the position; when the log begins above it, records have expired unread: say so and go on.

        Returns whether Kafka said where the log begins; if not, the next batch, or the next look, tries again.
        """
        reach("consume.seek")
        ends = await self._ends.find([place])
        if ends is None or place not in ends:
            self._followed.discard(place)
            return False
        beginning = ends[place][0]
        if beginning > position:
            if position > 0:
                self._say_gap("consumer.log_truncated", place, expected=position, offset=beginning)
            await self._positions.move(place, beginning, seen=position)
        self._fetch_from(place, max(position, beginning))
        return True

    def _fetch_from(self, place: Place, offset: int) -> None:
        if self.prefetch is not None:
            self.prefetch.forget(place)
        if (client := self._client) is None:  # it was ended meanwhile
            return
        try:
            client.seek(TopicPartition(*place), offset)
        except (IllegalStateError, KafkaError, AssertionError) as error:  # the partition went to somebody else
            self._log.info("consumer.seek_refused", topic=place[0], partition=place[1], offset=offset, error=type(error).__name__)

    async def follow(self) -> None:
        """Go back where PostgreSQL says so: it was restored from a backup, an operator asks for it, or the log is another one.

        Usually a batch finds that out; here it is found although nothing new comes. Reading again harms nothing.
        """
        if not self._gate.is_open:
            return
        reach("consume.follow")
        mine = dict(self.taken)  # before the query: a position in PostgreSQL only falls when somebody turns it back
        assigned = assigned_to(self._client)
        self._followed &= assigned
        try:
            self._followed -= await self._turn_back_replaced({topic for topic, _ in assigned})
            kept = await self._positions.find()
            ends = await self._ends.find(assigned)  # after the positions: a log that is ours ends at or above them
            if ends is None:
                return
            for place in assigned:
                position = kept.get(place, 0)
                is_followed = True
                if place in ends and self._short.look(place, position=position, end=ends[place][1]):
                    is_followed = await self._begin_again(place, position, ends[place][1])
                elif place not in self._followed or position < mine.get(place, 0):
                    is_followed = await self._go_back(place, position)
                if is_followed:
                    self._followed.add(place)
        except (Unavailable, IllegalStateError, KafkaError, TimeoutError) as error:
            self._log.info("consumer.follow_postponed", error=type(error).__name__)

    async def _turn_back_replaced(self, topics: set[str]) -> set[Place]:
        """Begin anew in topics that were deleted and made again: they have another identity, however long they are by now."""
        logs = await self._ends.identify(topics)
        replaced = await self._positions.turn_back_replaced(logs)
        self._read_from(logs)
        for place, position in replaced.items():
            self._say_gap("consumer.log_replaced", place, expected=position, offset=0)
        return set(replaced)

    def _say_gap(self, event: str, place: Place, *, expected: int, offset: int) -> None:
        self._log.error(event, topic=place[0], partition=place[1], expected=expected, offset=offset)
        metrics.GAPS.labels(self._name).inc()

    def _read_from(self, logs: Mapping[str, UUID]) -> None:
        """Take what is fetched from now on for records of these logs; what waits of another one is dropped."""
        changed = {topic for topic, log in logs.items() if self.logs.get(topic, log) != log}
        for place in assigned_to(self._client):
            if place[0] in changed and self.prefetch is not None:
                self.prefetch.forget(place)
                self._followed.discard(place)
        self.logs = {**self.logs, **logs}

    async def _begin_again(self, place: Place, position: int, end: int) -> bool:
        """Read the log from its beginning: it ends below what was read, so it was lost, cut, or replaced."""
        self._short.forget(place)
        if not await self._positions.move(place, 0, seen=position):
            return True  # somebody reads on from there: it is we who were wrong
        self._say_gap("consumer.log_replaced", place, expected=position, offset=end)
        return await self._go_back(place, 0)

    async def _go_back(self, place: Place, position: int) -> bool:
        if (client := self._client) is None:  # it was ended meanwhile
            return False
        async with asyncio.timeout(2.0):
            fetching = await client.position(TopicPartition(*place))
        if fetching <= position:
            return True
        self.taken[place] = position
        return await self.seek(place, position)


def assigned_to(client: Any) -> set[Place]:
    """Return the partitions that a client of Kafka reads now."""
    return {(one.topic, one.partition) for one in client.assignment()} if client is not None else set()
