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
from shared.delivery.closing import attempt, close, finish
from shared.delivery.core import describe
from shared.delivery.errors import TooManyParked, Unavailable
from shared.delivery.header_names import read_any_header_name
from shared.delivery.log_ends import LogEnds
from shared.delivery.pace import Pace
from shared.delivery.places import LOOK_SECONDS, Places, assigned_to
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
BROKER_SECONDS = 5.0
REST_TIMES = 2.0


class Consumer:
    """Consumes the topics of one service, as a static member of the service's group."""

    def __init__(self, shell: Shell[Any], *, bootstrap: str, instance: str, group: str | None = None) -> None:
        read_any_header_name()
        self._shell = shell
        self._name = shell.service.name
        self._instance = instance
        self._log = shell.log
        self._committed_at = 0.0
        self._stopping = asyncio.Event()
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
        self._places = Places(shell, self.subscriber, self.ends)

    async def serve(self) -> None:
        """Start, retrying while Kafka is away (FastStream gives up at once), then watch; again when the client is dead."""
        while True:
            await self._connect()
            while not self._stopping.is_set() and not self._is_dead:
                await asyncio.sleep(LOOK_SECONDS)
                await self._places.follow()
            if self._stopping.is_set():
                return
            self._log.error("consumer.client_died", error_id=f"{self._name}.client")
            self.connected = False
            await self._stop_broker()

    @property
    def _is_dead(self) -> bool:
        """Whether nothing is fetched any more, or nothing that was fetched is handed to us.

        Also, for one pass of the event loop, when FastStream is about to begin its own loop again: it costs a new client.
        """
        prefetch = self._places.prefetch
        handing = any(not task.done() for task in self.subscriber.tasks)
        return self.subscriber.consumer is None or prefetch is None or prefetch.is_dead or not handing

    async def _connect(self) -> None:
        delay = 0.2
        topics = {topic.name for topic in self._shell.service.consumes}
        while not self.connected:
            if self._stopping.is_set():
                return
            try:
                await self._places.ask_for_logs(topics)
                async with asyncio.timeout(START_SECONDS):
                    await self.broker.start()
                if self._stopping.is_set():
                    await self._stop_broker()
                    return
                self._places.prefetch = Prefetch(self.subscriber.consumer, most=CATCH_UP_RECORDS)
                self.connected = True
                reach("start.consumer")
            except (KafkaError, OSError, TimeoutError) as error:
                metrics.UNAVAILABLE.labels(self._name, "kafka").inc()
                self._log.warning("consumer.kafka_unavailable", error=type(error).__name__)
                await self._stop_broker()
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)
            except BaseException:
                await self._stop_broker()
                raise
        self._log.info("consumer.started", count=len(self._shell.service.consumes))

    async def _stop_broker(self) -> None:
        """End the client of Kafka, whatever state it is in."""
        await finish(self._end_client())

    async def _end_client(self) -> None:
        if self._places.prefetch is not None:
            self._places.prefetch.stop()
        error = await attempt(self.broker.stop(), seconds=BROKER_SECONDS)
        client, self.subscriber.consumer = self.subscriber.consumer, None
        if error is None and client is None:
            return
        self._log.info("consumer.stop_failed", error=error)  # FastStream's group of tasks keeps a CancelledError to itself
        for task in self.subscriber.tasks:
            task.cancel()
        self.subscriber.tasks.clear()
        if client is not None:
            await close(client)

    async def stop(self) -> None:
        """Tell Kafka where we are and stop fetching. `ends` is asked by others, too: to be closed when these are done."""
        self._stopping.set()
        if self.connected:
            await self._commit(force=True)
            await self._stop_broker()
            reach("stop.consumer")

    def assigned(self) -> set[Place]:
        """Return the partitions that are ours now."""
        return assigned_to(self.subscriber.consumer)

    @property
    def has_joined(self) -> bool:
        """Whether the group has told us which partitions are ours, be it none."""
        subscription = self.subscriber.consumer and self.subscriber.consumer._subscription.subscription
        return bool(subscription and subscription.assignment)

    async def _handle(self, records: tuple[ConsumerRecord, ...]) -> None:
        """Take one batch. Never raises: it waits and tries again, or halts."""
        started = time.perf_counter()
        logs, batches = self._places.logs, by_place(records)
        if unknown := {topic for topic, _ in batches} - logs.keys():  # topics that were made after we began
            await self._places.get_to_know(unknown)
            self._places.fetch_again(batches)
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
                self._places.taken[place] = mine[-1].offset + 1
                self.progressed = time.monotonic()
        for place, position in behind.items():
            await self._places.seek(place, position)

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
        offsets = {TopicPartition(*place): at for place, at in self._places.taken.items() if TopicPartition(*place) in mine}
        if not offsets:
            return
        reach("consume.before_offsets")
        try:
            async with asyncio.timeout(2.0):
                await consumer.commit(offsets)
            reach("consume.after_offsets")
        except (KafkaError, IllegalStateError, OSError, TimeoutError) as error:
            self._log.info("consumer.commit_skipped", error=type(error).__name__)
