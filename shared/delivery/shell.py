"""The I/O around the pure core: one transaction per batch, for records of the log and for local inputs alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Generic, Literal, TypeVar
from uuid import UUID

import asyncpg

from shared import metrics
from shared.clock import Clock
from shared.delivery.core import Core
from shared.delivery.errors import CONFLICT, FAULTY, UNAVAILABLE, TooManyParked, Unavailable
from shared.delivery.gate import Gate
from shared.delivery.local_queue import LocalQueue
from shared.delivery.parked_rows import ParkedRows
from shared.delivery.points import reach
from shared.delivery.positions import Positions, connected
from shared.delivery.reader import Admission, Reader
from shared.delivery.run import ContextFor
from shared.delivery.service import Context, Service
from shared.delivery.store import Conflict, Connection, Place, Store
from shared.delivery.values import Folded, Input, Parked, RawRecord, Result
from shared.log import get_log
from shared.organisation import Authority
from shared.trace import Tracing
from shared.vault.seal import Vault

S = TypeVar("S")
_TRIES = 20
CONFLICTS: tuple[type[Exception], ...] = (Conflict, *CONFLICT)
NO_LOGS: Final[Mapping[str, UUID]] = MappingProxyType({})
How = Literal["whole", "alone", "refused"]
"""How an input is taken: with its parked successors; without them, because PostgreSQL refused values of one of them; or not at
all, because the values are its own."""


class RefusedByDatabase(Exception):
    """PostgreSQL does not take the values that this input leads to."""


class Shell(Generic[S]):
    """Runs a service's steps, durably and once. One per service and process."""

    def __init__(
        self,
        service: Service[S],
        *,
        pool: asyncpg.Pool,
        clock: Clock,
        authority_of: Callable[[str], Authority],
        vault: Vault | None = None,
        gate: Gate | None = None,
        admissions: Mapping[str, Admission] | None = None,
        parked_limit: int = 100,
        tracing: Tracing | None = None,
    ) -> None:
        self.service = service
        self.core: Core[S] = Core(service)
        self.pool = pool
        self.gate = gate or Gate(service.name, watched=False)
        self.log = get_log(service.name)
        self.on_commit: Callable[[], None] = lambda: None
        """Called after a commit that left something in the outbox: wakes the relay."""
        self._clock = clock
        self._authority_of = authority_of
        self._parked_limit = parked_limit
        self._tracing = tracing or Tracing(service.name)
        self._sequenced = frozenset(topic.name for topic in service.sequenced)
        self.reader = Reader(self._sequenced, admissions or {}, vault.reveal if vault else None)
        parked = ParkedRows(service.name, read=self.reader.read_parked, hide=vault.hide if vault else None)
        self.store: Store[S] = Store(self.core, parked, decode_parked=self.reader.read_waiting)
        self.positions = Positions(pool, self.store, service.name)
        self.local: LocalQueue[S] = LocalQueue(self.run, service.name, gate=self.gate, tracing=self._tracing)

    # --- local inputs: a click, a tick, a mail's outcome -------------------------------------------------------------

    async def run(self, inputs: Sequence[Input], *, lane: str) -> list[Result[S]]:
        """Fold inputs in one transaction of their own, and again if another one came first; one result for each.

        Raises:
            Unavailable: PostgreSQL did not answer, or the gate is shut.
        """
        faulty = False
        for _ in range(_TRIES):
            try:
                return await (self._run_each(inputs, lane=lane) if faulty else self._transact(inputs, {}, lane=lane))
            except CONFLICTS:
                metrics.CONFLICTS.labels(self.service.name).inc()
            except FAULTY:
                faulty = True
            except UNAVAILABLE as error:
                metrics.UNAVAILABLE.labels(self.service.name, "postgresql").inc()
                self.log.warning("postgresql.unavailable", error=type(error).__name__, place=lane)
                raise Unavailable("PostgreSQL does not answer; try again in a moment") from error
        raise Unavailable("the request is being changed by too many others at once; try again in a moment")

    async def _run_each(self, inputs: Sequence[Input], *, lane: str) -> list[Result[S]]:
        """Find the input whose values PostgreSQL refuses; it fails, or stays parked when it is a parked record."""
        if len(inputs) > 1:
            return [result for one in inputs for result in await self.run([one], lane=lane)]
        (one,) = inputs
        ways: list[How] = ["whole"]
        if one.sequence is not None:
            ways.append("alone")
        if one.parked_id is not None:
            ways.append("refused")
        refusal = ""
        for how in ways:
            try:
                return await self._transact(inputs, {}, lane=lane, how=how)
            except FAULTY as error:
                refusal = type(error).__name__
        return [Result("failed", one.request_id, error=RefusedByDatabase(refusal))]

    # --- records of the log ------------------------------------------------------------------------------------------

    async def take(self, records: Mapping[Place, Sequence[RawRecord]], *, logs: Mapping[str, UUID] = NO_LOGS) -> dict[Place, int]:
        """Take records of the log, in the order of their offsets per partition, in one transaction.

        `logs`: the identity of each topic that they were fetched from, as far as it is known.
        Records below a partition's position are dropped: they were taken. Returns the partitions whose records begin
        above their position, or are of another log than it, with that position: the caller has to fetch again from there;
        nothing of them was taken.

        Raises:
            Unavailable: PostgreSQL did not answer, or the gate is shut; nothing is lost, try again.
            TooManyParked: more was parked in a minute than is plausible; nothing was changed.
        """
        faulty = False
        for _ in range(_TRIES):
            try:
                return await (self._take_one_by_one(records, logs) if faulty else self._take(records, logs, how="whole"))
            except CONFLICTS:
                metrics.CONFLICTS.labels(self.service.name).inc()
            except FAULTY:
                if faulty:
                    raise
                faulty = True
            except UNAVAILABLE as error:
                metrics.UNAVAILABLE.labels(self.service.name, "postgresql").inc()
                raise Unavailable(type(error).__name__) from error
        raise Unavailable("conflicts")

    async def _take(
        self, records: Mapping[Place, Sequence[RawRecord]], logs: Mapping[str, UUID], *, how: How
    ) -> dict[Place, int]:
        reach("consume.before_begin")
        async with self.pool.acquire() as connection, connection.transaction():
            self.gate.require()
            positions = await self.store.lock_positions(connection, list(records), logs=logs)
            reach("consume.after_lock")
            behind: dict[Place, int] = {}
            moved: dict[Place, int] = {}
            fresh: list[RawRecord] = []
            for place, mine in records.items():
                position = positions[place].next_offset
                if mine[0].offset > position or positions[place].is_of_another(logs.get(place[0])):
                    behind[place] = position
                    continue
                new = [raw for raw in mine if raw.offset >= position]
                if new:
                    fresh += new
                    moved[place] = new[-1].offset + 1
            folded = await self._fold_records(connection, fresh, moved, how=how) if fresh else None
        reach("consume.after_commit")
        if folded is not None:
            self._tell(folded)
            self.on_commit()
        return behind

    async def _fold_records(
        self, connection: Connection, fresh: list[RawRecord], moved: dict[Place, int], *, how: How
    ) -> Folded[S]:
        read = [self.reader.read(raw) for raw in fresh]
        inputs = [one for one in read if isinstance(one, Input)]
        lost = [one for one in read if isinstance(one, Parked)]
        with self._tracing.span("log", causes=(one.traceparent for one in inputs)):
            folded = await self._fold(connection, inputs, how=how)
            folded.parked = await self.store.parked.drop_known(connection, folded.parked + lost)
            if folded.parked:
                reach("park.before")
            if unexpected := sum(1 for one in folded.parked if self._is_alarming(one)):
                await self._check_limit(connection, unexpected)
            reach("consume.after_fold")
            await self.store.save(connection, folded, moved)
        reach("consume.before_commit")
        return folded

    async def _take_one_by_one(self, records: Mapping[Place, Sequence[RawRecord]], logs: Mapping[str, UUID]) -> dict[Place, int]:
        """Find the record whose values PostgreSQL refuses, and park it; the others are taken."""
        behind: dict[Place, int] = {}
        for place, mine in records.items():
            for raw in mine:
                behind |= await self._take_one(place, raw, logs)
                if place in behind:
                    break
        return behind

    async def _take_one(self, place: Place, raw: RawRecord, logs: Mapping[str, UUID]) -> dict[Place, int]:
        try:
            return await self._take({place: [raw]}, logs, how="whole")
        except FAULTY:
            pass
        try:
            return await self._take({place: [raw]}, logs, how="alone")
        except FAULTY:
            return await self._take({place: [raw]}, logs, how="refused")

    # --- both --------------------------------------------------------------------------------------------------------

    async def _transact(
        self, inputs: Sequence[Input], moved: dict[Place, int], *, lane: str, how: How = "whole"
    ) -> list[Result[S]]:
        started = time.perf_counter()
        reach("local.before_begin")
        async with self.pool.acquire() as connection, connection.transaction():
            if not all(one.new for one in inputs):
                self.gate.require()
            folded = await self._fold(connection, inputs, how=how)
            await self.store.save(connection, folded, moved)
            reach("local.before_commit")
        reach("local.after_commit")
        self._tell(folded)
        if folded.outbox:
            self.on_commit()
        metrics.BATCH.labels(self.service.name, lane).observe(len(inputs))
        metrics.BATCH_SECONDS.labels(self.service.name, lane).observe(time.perf_counter() - started)
        return folded.results

    async def _fold(self, connection: Connection, inputs: Sequence[Input], *, how: How) -> Folded[S]:
        taken = await self.store.find_taken(connection, [one.ticket for one in inputs if one.ticket is not None])
        sought = {one.request_id for one in inputs if not one.new}
        known = await self.store.load(connection, sought) if sought else {}
        reach("consume.after_load")
        started = time.perf_counter()
        contexts = _refuse if how == "refused" else self._contexts()
        folded = self.core.fold(inputs, known, taken, contexts, alone=how == "alone")
        metrics.STEP_SECONDS.labels(self.service.name).observe(time.perf_counter() - started)
        return folded

    def _contexts(self) -> ContextFor:
        """Return the contexts of one batch: one instant for all, one organisation per authority."""
        now = self._clock.now()
        found: dict[str, Authority] = {}

        def context_for(code: str, request_id: UUID) -> Context:
            authority = found.get(code)
            if authority is None:
                authority = found[code] = self._authority_of(code)
            return Context(now, authority, request_id)

        return context_for

    def _is_alarming(self, one: Parked) -> bool:
        """Tell whether a parked record counts towards the limit.

        Only those of numbered topics do: one of our own services writes them, so a flood means that a deployment of ours is
        bad, and going on would put the town's whole life aside. A topic that is open to others (adapters, commands) may be
        flooded by anybody: each record is parked, counted in the metric and logged, and the service goes on.
        """
        return one.raw.topic in self._sequenced and one.why not in ("waiting", "refused")

    async def _check_limit(self, connection: Connection, count: int) -> None:
        parked = await self.store.parked.count_last_minute(connection, self._sequenced) + count
        if parked > self._parked_limit:
            raise TooManyParked(f"{parked} records would be parked within a minute; the limit is {self._parked_limit}")

    def _tell(self, folded: Folded[S]) -> None:
        name = self.service.name
        counts: dict[str, int] = {}
        for result in folded.results:
            counts[result.kind] = counts.get(result.kind, 0) + 1
        for outcome, count in counts.items():
            metrics.CONSUMED.labels(name, outcome).inc(count)
        for one in folded.parked:
            metrics.PARKED.labels(name, one.why).inc()
            if one.why == "gap":
                metrics.GAPS.labels(name).inc()
            event = "delivery.gap" if one.why == "gap" else "delivery.parked"
            self.log.error(event, why=one.why, error_id=one.error_id, request_id=one.request_id, detail=one.detail)
        relabelled = {parked_id: (why, detail) for parked_id, why, detail in folded.relabelled}
        for parked_id, (why, detail) in relabelled.items():
            if why == "gap":  # it waited for one that is taken now, and another one before it is missing
                metrics.GAPS.labels(name).inc()
                self.log.error("delivery.gap_behind", why=why, parked_id=parked_id, detail=detail)

    async def find_state(self, request_id: UUID) -> S | None:
        """Return the state of a request as it is now, without a lock. Raises Unavailable."""
        async with connected(self.pool) as connection:
            known = await self.store.load(connection, [request_id], lock=False)
        return known[request_id].state if request_id in known else None


def _refuse(_authority: str, _request_id: UUID) -> Context:
    raise RefusedByDatabase
