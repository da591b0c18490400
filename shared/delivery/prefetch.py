"""Prefetch: empties Kafka's client as soon as something comes, and hands out all that waits, whole."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError

WAIT_MS = 1000


class Prefetch:
    """Stands before the `getmany` of a consumer, for FastStream's loop.

    aiokafka asks a broker again for a partition only once what it has of that one was taken, and by a request for all
    partitions that are free at that moment, which the broker answers when anything comes for these or `fetch_max_wait_ms`
    have passed; FastStream sleeps after each empty look. So records waited, and both looked all the time. Emptied at once,
    every request is for every partition: records come the moment they are there, and an idle broker may wait long.
    At most `most` records wait here; then Kafka is not asked until some were taken.
    """

    def __init__(self, consumer: Any, *, most: int) -> None:  # AIOKafkaConsumer, which carries no types
        self._consumer = consumer
        self._fetch = consumer.getmany
        self._most = most
        self._waiting: dict[TopicPartition, list[ConsumerRecord]] = {}
        self._error: Exception | None = None
        self._came, self._room = asyncio.Event(), asyncio.Event()
        self._filling = asyncio.create_task(self._fill())
        consumer.getmany = self._take

    @property
    def is_dead(self) -> bool:
        """Whether the client fetches no more, left its group or learns of no broker for good, or is asked for nothing any more.

        At a write to a closed connection uvloop raises what aiokafka does not expect, which ends its loops one by one.
        """
        group = self._consumer._coordinator
        fetching, metadata = self._consumer._fetcher._fetch_task, self._consumer._client._sync_task
        for_good = (self._filling, fetching, metadata, group._coordination_task)
        return any(loop.done() for loop in for_good) or _has_failed(group._heartbeat_task)

    def forget(self, place: tuple[str, int]) -> None:
        """Drop what waits of a partition: it is fetched again from elsewhere."""
        self._waiting.pop(TopicPartition(*place), None)
        self._room.set()

    def stop(self) -> None:
        """Fetch no more."""
        self._filling.cancel()

    async def _fill(self) -> None:
        while True:
            self._room.clear()
            room = self._most - sum(map(len, self._waiting.values()))
            if room <= 0 or self._error is not None:
                await self._room.wait()
                continue
            try:
                fetched: dict[TopicPartition, Sequence[ConsumerRecord]] = await self._fetch(timeout_ms=WAIT_MS, max_records=room)
            except Exception as error:  # told to who takes, as if the fetch were theirs
                self._error = error
                self._came.set()
                if isinstance(error, ConsumerStoppedError):
                    return
                continue
            for place, records in fetched.items():
                self._waiting.setdefault(place, []).extend(records)
            if fetched:
                self._came.set()

    async def _take(self, **_options: Any) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Return all that waits, as soon as anything does. Raises what the fetch raised, once what came before it is taken."""
        while not self._waiting:
            if self._error is not None:
                error, self._error = self._error, None
                self._room.set()
                raise error
            self._came.clear()
            await self._came.wait()
        waiting, self._waiting = self._waiting, {}
        self._room.set()
        return waiting


def _has_failed(task: "asyncio.Task[None] | None") -> bool:
    """Whether the heartbeat ended by an error. One that ended without is about to be begun again, or was stopped."""
    return task is not None and task.done() and not task.cancelled() and task.exception() is not None
