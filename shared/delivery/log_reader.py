"""Reads a stretch of the log, to be folded again. No group, no commit: nobody else notices."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.delivery.closing import close
from shared.delivery.header_names import read_any_header_name
from shared.delivery.store import Place
from shared.delivery.topic_ids import find_topic_ids
from shared.delivery.values import RawRecord
from shared.events.topics import Topic

SILENT_SECONDS = 60.0


class LogReader:
    """A reader of the whole log of some topics. Use as an async context manager."""

    def __init__(self, bootstrap: str, topics: tuple[Topic, ...]) -> None:
        read_any_header_name()
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="none")
        self._topics = topics

    async def __aenter__(self) -> "LogReader":
        try:
            await self._consumer.start()
        except BaseException:
            await close(self._consumer)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await close(self._consumer)

    async def find_bounds(self, *, existing_only: bool = False) -> dict[Place, tuple[int, int]]:
        """Return per partition the first offset that the log still has, and the one after its last.

        A topic that is missing is waited for, in vain, unless `existing_only`: then it is left out.
        """
        topics = {topic.name for topic in self._topics}
        if existing_only:
            topics = set(await find_topic_ids(self._consumer._client, topics))
        places = [TopicPartition(one.name, number) for one in self._topics for number in range(one.partitions)]
        places = [place for place in places if place.topic in topics]
        begin = await self._consumer.beginning_offsets(places)
        end = await self._consumer.end_offsets(places)
        return {(place.topic, place.partition): (begin[place], end[place]) for place in places}

    async def find_since(self, instant: datetime, bounds: Mapping[Place, tuple[int, int]]) -> dict[Place, tuple[int, int]]:
        """Return the bounds of what was written at an instant or later."""
        at = int(instant.timestamp() * 1000)
        found = await self._consumer.offsets_for_times({TopicPartition(*place): at for place in bounds})
        return {(place.topic, place.partition): (told.offset, bounds[place][1]) for place, told in found.items() if told}

    async def read(self, bounds: Mapping[Place, tuple[int, int]], tell: Callable[[int, int], None]) -> AsyncIterator[RawRecord]:
        """Yield the records between the bounds, as `read_dated` does."""
        async for _, raw in self.read_dated(bounds, tell):
            yield raw

    async def read_dated(
        self, bounds: Mapping[Place, tuple[int, int]], tell: Callable[[int, int], None]
    ) -> AsyncIterator[tuple[datetime, RawRecord]]:
        """Yield the records between the bounds of each partition, in their order there, each with when it was published.

        `tell(done, all)` hears of the progress.

        Raises:
            TimeoutError: the broker gave nothing for a minute although something is left.
        """
        left = {TopicPartition(*place): bound for place, bound in bounds.items() if bound[1] > bound[0]}
        total = sum(end - begin for begin, end in left.values())
        self._consumer.assign(list(left))
        for place, (begin, _) in left.items():  # not seek_to_beginning right after assign: it can give nothing, silently
            self._consumer.seek(place, begin)
        done, heard = 0, time.monotonic()
        while left:
            for place, records in (await self._consumer.getmany(*left, timeout_ms=500, max_records=5000)).items():
                heard = time.monotonic()
                for one in records:
                    if one.offset < left[place][1]:
                        done += 1
                        headers = tuple((name, value or b"") for name, value in one.headers)
                        raw = RawRecord(one.topic, one.partition, one.offset, one.key, headers, one.value)
                        yield datetime.fromtimestamp(one.timestamp / 1000, UTC), raw
            tell(min(done, total), total)
            for place in list(left):
                if await self._consumer.position(place) >= left[place][1]:
                    del left[place]
            if time.monotonic() - heard > SILENT_SECONDS:
                raise TimeoutError("Kafka gave nothing for a minute although the log has more")
