"""The consumer: hands the log to the shell in batches, for ever, whatever dies. Nothing here decides anything."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared import metrics
from shared.delivery.batches import Batches, by_place, parts_of
from shared.delivery.core import describe
from shared.delivery.errors import TooManyParked, Unavailable
from shared.delivery.header_names import read_any_header_name
from shared.delivery.log_ends import LogEnds, ShortLogs
from shared.delivery.pace import Pace
from shared.delivery.points import reach
from shared.delivery.prefetch import Prefetch
from shared.delivery.shell import Shell
from shared.delivery.store import Place
from shared.delivery.subscription import CATCH_UP_RECORDS, subscribe
from shared.memory import without_collector

MAX_RECORDS = 500
COMMIT_EVERY_SECONDS = 1.0
HALT_RETRY_SECONDS = 60.0
START_SECONDS = 60.0
REST_TIMES = 2.0


class Consumer:
    """Consumes the topics of one service, as a static member of the service's group."""

    def __init__(self, shell: Shell[Any], *, bootstrap: str, instance: str, group: str | None = None) -> None:
        read_any_header_name()
        self._shell = shell
        self._bootstrap = bootstrap
        self._name = shell.service.name
        self._instance = instance
        self._log = shell.log
        self._positions: dict[Place, int] = {}
        self._followed: set[Place] = set()
        self._logs: Mapping[str, UUID] = {}
        """The identity of each topic, as it was last seen. Replaced, never changed: a batch in hand keeps its own.

        Always asked before what is taken for it was fetched: an older log than it is of is found out later, a newer one never.
        """
        self._committed_at = 0.0
        self._short = ShortLogs()
        self._prefetch: Prefetch | None = None
        self._stopping = False
        self._pace = Pace(shell.service.pace_seconds, times=REST_TIMES)
        self.ends = LogEnds(bootstrap)
        self.progressed = time.monotonic()
        """When something was last taken, or PostgreSQL was away (monotonic seconds)."""
        self.taken = 0
        """Records handed over by Kafka and dealt with, repeats included."""
        self.connected = False
        self.halted: str | None = None
        self.broker, self.subscriber = subscribe(
            bootstrap,
            [topic.name for topic in shell.service.consumes],
            self._handle,
            group=group or self._name,
            member=f"{self._name}-{instance}",
        )

    async def serve(self) -> None:
        """Start, retrying while Kafka is away (FastStream gives up at once), then watch; again when the client is dead."""
        while True:
            await self._connect()
            while not self._stopping and not (self._prefetch and self._prefetch.is_dead):
                await asyncio.sleep(1.0)
                await self._follow()
            if self._stopping:
                return
            self._log.error("consumer.client_died", error_id=f"{self._name}.client")
            self.connected = False
            await self._stop_broker()

    async def _connect(self) -> None:
        delay = 0.2
        topics = {topic.name for topic in self._shell.service.consumes}
        while not self.connected:
            try:
                self._read_from(await self.ends.identify(topics))
                async with asyncio.timeout(START_SECONDS):
                    await self.broker.start()
                self._prefetch = Prefetch(self.subscriber.consumer, most=CATCH_UP_RECORDS)
                self.connected = True
                reach("start.consumer")
            except (KafkaError, OSError, TimeoutError) as error:
                metrics.UNAVAILABLE.labels(self._name, "kafka").inc()
                self._log.warning("consumer.kafka_unavailable", error=type(error).__name__)
                await self._stop_broker()
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)
        self._log.info("consumer.started", count=len(self._shell.service.consumes))

    async def _stop_broker(self) -> None:
        if self._prefetch is not None:
            self._prefetch.stop()
        try:
            async with asyncio.timeout(5):
                await self.broker.stop()
        except (KafkaError, OSError, TimeoutError, AttributeError, ExceptionGroup) as error:  # a group: a client that died
            self._log.info("consumer.stop_failed", error=type(error).__name__)

    async def stop(self) -> None:
        """Say good-bye to the group's offsets and stop fetching."""
        self._stopping = True
        if self.connected:
            await self._commit(force=True)
            await self._stop_broker()
            reach("stop.consumer")
        await self.ends.close()

    def assigned(self) -> set[Place]:
        """Return the partitions that are ours now."""
        consumer: Any = self.subscriber.consumer
        return {(one.topic, one.partition) for one in consumer.assignment()} if consumer is not None else set()

    @property
    def has_joined(self) -> bool:
        """Whether the group has told us which partitions are ours, be it none."""
        subscription = self.subscriber.consumer and self.subscriber.consumer._subscription.subscription
        return bool(subscription and subscription.assignment)

    async def _handle(self, records: tuple[ConsumerRecord, ...]) -> None:
        """Take one batch. Never raises: it waits and tries again, or halts."""
        started = time.perf_counter()
        logs, batches = self._logs, by_place(records)
        if unknown := {topic for topic, _ in batches} - logs.keys():
            await self._get_to_know(unknown)
            for place, mine in batches.items():
                self._fetch_from(place, mine[0].offset)
            return
        left = batches
        if len(records) >= MAX_RECORDS:
            with without_collector():
                left = await self._take_side_by_side(parts_of(batches), logs)
        if left:
            await self._take(left, logs)
        await self._commit(force=False)
        metrics.BATCH.labels(self._name, "log").observe(len(records))
        spent = time.perf_counter() - started
        metrics.BATCH_SECONDS.labels(self._name, "log").observe(spent)
        if len(records) < MAX_RECORDS:
            await asyncio.sleep(self._pace.rest(spent))

    async def _take_side_by_side(self, parts: list[Batches], logs: Mapping[str, UUID]) -> Batches:
        """Take parts in transactions of their own, one deciding while others are written. Return what has to be taken again."""
        outcomes = await asyncio.gather(*(self._shell.take(part, logs=logs) for part in parts), return_exceptions=True)
        left: Batches = {}
        for part, behind in zip(parts, outcomes, strict=True):
            if isinstance(behind, BaseException):  # said when it is met again, by itself
                left |= part
            else:
                await self._after(part, behind)
        return left

    async def _take(self, batches: Batches, logs: Mapping[str, UUID]) -> None:
        """Take records in one transaction; wait and try again, or halt, until it is done."""
        delay = 0.05
        while True:
            try:
                behind = await self._shell.take(batches, logs=logs)
                break
            except Unavailable as error:
                self.progressed = time.monotonic()  # alive: a restart would not help
                self._log.warning("consumer.postgresql_unavailable", error=str(error))
                await self._shell.gate.wait(delay)
                delay = min(delay * 2, 1.0)
            except TooManyParked as error:
                await self._halt(str(error))
            except Exception as error:  # a fault of ours: said, nothing is passed over, tried again
                await self._resume()
                self._log.error("consumer.failed", error=describe(error), error_id=f"{self._name}.consumer")
                await asyncio.sleep(1.0)
        await self._resume()
        await self._after(batches, behind)

    async def _after(self, batches: Batches, behind: dict[Place, int]) -> None:
        for place, mine in batches.items():
            if place not in behind:
                self.taken += len(mine)
                self._positions[place] = mine[-1].offset + 1
                self.progressed = time.monotonic()
        for place, position in behind.items():
            await self._seek(place, position)

    async def _seek(self, place: Place, position: int) -> None:
        """Fetch again from the position; when the log begins above it, records have expired unread: say so and go on."""
        reach("consume.seek")
        ends = await self.ends.find([place])
        if ends is None or place not in ends:  # Kafka is away: the next batch, or the next look, finds it again
            self._followed.discard(place)
            return
        beginning = ends[place][0]
        if beginning > position:
            if position > 0:
                self._say_gap("consumer.log_truncated", place, expected=position, offset=beginning)
            await self._shell.positions.move(place, beginning, seen=position)
        self._fetch_from(place, max(position, beginning))

    def _fetch_from(self, place: Place, offset: int) -> None:
        if self._prefetch is not None:
            self._prefetch.forget(place)
        try:
            self.subscriber.consumer.seek(TopicPartition(*place), offset)
        except (IllegalStateError, KafkaError, AssertionError) as error:  # the partition went to somebody else
            self._log.info("consumer.seek_refused", topic=place[0], partition=place[1], offset=offset, error=type(error).__name__)

    async def _get_to_know(self, topics: set[str]) -> None:
        """Ask, until Kafka answers, which logs these are: they came to be after we began."""
        while topics - self._logs.keys():
            self._read_from(await self.ends.identify(topics))
            if topics - self._logs.keys():
                await asyncio.sleep(1.0)

    async def _halt(self, why: str) -> None:
        """Wait a minute before the next try, and tell everybody who looks: `/ready`, the metric, `aiguilleur status`."""
        self.halted = why
        metrics.HALTED.labels(self._name).set(1)
        self._log.error("consumer.halted", why="too many parked records", error_id=f"{self._name}.halted")
        await self._shell.positions.tell_halted(self._instance, why)
        await asyncio.sleep(HALT_RETRY_SECONDS)

    async def _resume(self) -> None:
        if self.halted:
            self.halted = None
            metrics.HALTED.labels(self._name).set(0)
            await self._shell.positions.tell_halted(self._instance, None)

    async def _commit(self, *, force: bool) -> None:
        """Tell Kafka where we are, about once a second: a courtesy to lag monitors. The truth is in PostgreSQL."""
        now = time.monotonic()
        consumer: Any = self.subscriber.consumer
        if consumer is None or not self._shell.gate.is_open or (not force and now - self._committed_at < COMMIT_EVERY_SECONDS):
            return  # with the gate shut: after a restore what Kafka was told is where we really were
        self._committed_at = now
        mine = consumer.assignment()
        offsets = {TopicPartition(*place): at for place, at in self._positions.items() if TopicPartition(*place) in mine}
        if not offsets:
            return
        reach("consume.before_offsets")
        try:
            async with asyncio.timeout(2.0):
                await consumer.commit(offsets)
            reach("consume.after_offsets")
        except (KafkaError, IllegalStateError, OSError, TimeoutError) as error:
            self._log.info("consumer.commit_skipped", error=type(error).__name__)

    async def _follow(self) -> None:
        """Go back where PostgreSQL says so: it was restored from a backup, an operator asks for it, or the log is another one.

        Usually a batch finds that out; here it is found although nothing new comes. Reading again harms nothing.
        """
        if not self._shell.gate.is_open:
            return
        reach("consume.follow")
        mine = dict(self._positions)  # before the query: a position in PostgreSQL only falls when somebody turns it back
        assigned = self.assigned()
        self._followed &= assigned
        try:
            self._followed -= await self._turn_back_replaced({topic for topic, _ in assigned})
            kept = await self._shell.positions.find()
            ends = await self.ends.find(assigned)  # after the positions: a log that is ours ends at or above them
            if ends is None:
                return
            for place in assigned:
                position = kept.get(place, 0)
                if place in ends and self._short.look(place, position=position, end=ends[place][1]):
                    await self._begin_again(place, position, ends[place][1])
                elif place not in self._followed or position < mine.get(place, 0):
                    await self._go_back(place, position)
                self._followed.add(place)
        except (Unavailable, IllegalStateError, KafkaError, TimeoutError) as error:
            self._log.info("consumer.follow_postponed", error=type(error).__name__)

    async def _turn_back_replaced(self, topics: set[str]) -> set[Place]:
        """Begin anew in topics that were deleted and made again: they have another identity, however long they are by now."""
        logs = await self.ends.identify(topics)
        replaced = await self._shell.positions.turn_back_replaced(logs)
        self._read_from(logs)
        for place, position in replaced.items():
            self._say_gap("consumer.log_replaced", place, expected=position, offset=0)
        return set(replaced)

    def _say_gap(self, event: str, place: Place, *, expected: int, offset: int) -> None:
        self._log.error(event, topic=place[0], partition=place[1], expected=expected, offset=offset)
        metrics.GAPS.labels(self._name).inc()

    def _read_from(self, logs: Mapping[str, UUID]) -> None:
        """Take what is fetched from now on for records of these logs; what waits of another one is dropped."""
        changed = {topic for topic, log in logs.items() if self._logs.get(topic, log) != log}
        for place in self.assigned():
            if place[0] in changed and self._prefetch is not None:
                self._prefetch.forget(place)
                self._followed.discard(place)
        self._logs = {**self._logs, **logs}

    async def _begin_again(self, place: Place, position: int, end: int) -> None:
        """Read the log from its beginning: it ends below what was read, so it was lost, cut, or replaced."""
        self._short.forget(place)
        if not await self._shell.positions.move(place, 0, seen=position):
            return  # somebody reads on from there: it is we who were wrong
        self._say_gap("consumer.log_replaced", place, expected=position, offset=end)
        await self._go_back(place, 0)

    async def _go_back(self, place: Place, position: int) -> None:
        consumer: Any = self.subscriber.consumer
        async with asyncio.timeout(2.0):
            fetching = await consumer.position(TopicPartition(*place))
        if fetching > position:
            self._positions[place] = position
            await self._seek(place, position)
