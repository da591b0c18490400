"""The log: partitions of records in memory, as Kafka keeps them. What was appended is never changed, but it may all be lost."""

import zlib
from collections.abc import Callable, Iterable
from uuid import UUID

from shared.delivery.store import Place
from shared.delivery.values import RawRecord
from shared.events.topics import TOPICS

_PARTITIONS = {topic.name: topic.partitions for topic in TOPICS}
Headers = tuple[tuple[str, bytes], ...]


class Log:
    """The topics of the town. `on_append` hears of each partition that grew."""

    def __init__(self) -> None:
        self._partitions: dict[Place, list[RawRecord]] = {
            (topic, number): [] for topic, count in _PARTITIONS.items() for number in range(count)
        }
        self._numbers: dict[Place, list[int]] = {place: [] for place in self._partitions}
        self._place_of: dict[tuple[str, bytes], Place] = {}
        self.on_append: Callable[[Place], None] = lambda _place: None
        self.appended = 0
        self.lost: list[RawRecord] = []
        """What the logs before this one held. Nobody of the town can read it."""
        self.lives = 1
        """How many logs there were: one more each time that it was lost."""

    @property
    def places(self) -> Iterable[Place]:
        """Every partition."""
        return self._partitions.keys()

    def place_of(self, topic: str, key: bytes | None) -> Place:
        """Return the partition of a key: the same one in every topic with as many partitions."""
        name = (topic, key or b"")
        place = self._place_of.get(name)
        if place is None:
            place = self._place_of[name] = (topic, zlib.crc32(name[1]) % _PARTITIONS[topic])
        return place

    def append(self, topic: str, key: bytes | None, headers: Headers, value: bytes | None) -> RawRecord:
        """Write a record at the end of its partition."""
        place = self.place_of(topic, key)
        mine = self._partitions[place]
        record = RawRecord(topic, place[1], len(mine), key, headers, value)
        mine.append(record)
        self.appended += 1
        self._numbers[place].append(self.appended)
        self.on_append(place)
        return record

    def end(self, place: Place) -> int:
        """Return the offset of the next record."""
        return len(self._partitions[place])

    def number(self, raw: RawRecord) -> int:
        """Return how many records had been written with this one: across all partitions, the earlier one has the lower number."""
        return self._numbers[raw.topic, raw.partition][raw.offset]

    def read(self, place: Place, offset: int, limit: int) -> list[RawRecord]:
        """Return records from an offset on."""
        return self._partitions[place][offset : offset + limit]

    def all(self) -> Iterable[RawRecord]:
        """Return every record, partition by partition."""
        for mine in self._partitions.values():
            yield from mine

    def identities(self) -> dict[str, UUID]:
        """Return what tells each topic from one of the same name before it."""
        return dict.fromkeys(_PARTITIONS, UUID(int=self.lives))

    def lose(self) -> None:
        """Lose everything: the topics are made anew, empty."""
        self.lost += self.all()
        for place in self._partitions:
            self._partitions[place] = []
            self._numbers[place] = []
        self.lives += 1
