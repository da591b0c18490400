"""Local inputs: what pages and the API hand to the shell gathers here and shares one transaction."""

import asyncio
import time
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from shared import metrics
from shared.delivery.core import describe
from shared.delivery.errors import Unavailable
from shared.delivery.gate import Gate
from shared.delivery.pace import Pace
from shared.delivery.points import reach
from shared.delivery.values import Input, Result
from shared.events.traceparent import traceparent_of
from shared.log import get_log
from shared.trace import Tracing, caller

S = TypeVar("S")
MAX_LOCAL_BATCH = 500
MAX_WAITING = 2 * MAX_LOCAL_BATCH
"""About half a second's work: more would wait for longer than the usager does, and none the sooner."""
PACE_SECONDS = 0.004
"""Under load a batch begins this long after the one before at the soonest; no longer rest, a usager waits."""


class Fold(Protocol[S]):
    """Shell.run: folds inputs in one transaction of their own."""

    async def __call__(self, inputs: Sequence[Input], *, lane: str) -> list[Result[S]]:
        """Return one result for each."""
        ...


class LocalQueue(Generic[S]):
    """Inputs that wait for the next batch. One per shell."""

    def __init__(self, fold: Fold[S], name: str, *, gate: Gate, tracing: Tracing) -> None:
        self._fold = fold
        self._name = name
        self._gate = gate
        self._tracing = tracing
        self._log = get_log(name)
        self._queue: list[tuple[Input, asyncio.Future[Result[S]]]] = []
        self._queued = asyncio.Event()
        self._pace = Pace(PACE_SECONDS, times=0)

    async def apply(self, one: Input) -> Result[S]:
        """Run the step on a local input and return what it did, after the commit. Inputs of the same moment share one.

        Raises:
            Unavailable: PostgreSQL did not answer, or too many wait; try again later, with the same ticket.
            DigestMismatch: the ticket was taken by another content.
            Exception: whatever the step raised.
        """
        self.require_room()
        future: asyncio.Future[Result[S]] = asyncio.get_running_loop().create_future()
        parent = one.traceparent or caller.get()
        if not self._tracing.on:
            result = await self._enqueue(one._replace(traceparent=parent) if parent else one, future)
        else:
            with self._tracing.span(type(one.event).__name__, parent=parent or traceparent_of(one.request_id)) as own:
                result = await self._enqueue(one._replace(traceparent=own), future)
        if result.error is not None:
            raise result.error
        return result

    def require_room(self) -> None:
        """Raise Unavailable while so many inputs wait that more would only wait longer: who comes is to come back later."""
        if len(self._queue) >= MAX_WAITING:
            metrics.TURNED_AWAY.labels(self._name).inc()
            raise Unavailable("too many wait; try again in a moment")

    async def _enqueue(self, one: Input, future: "asyncio.Future[Result[S]]") -> Result[S]:
        self._queue.append((one, future))
        self._queued.set()
        return await future

    async def serve(self) -> None:
        """Run local inputs in batches for ever: the next batch gathers while one is being committed (group commit)."""
        while True:
            await self._queued.wait()
            batch, self._queue = self._queue[:MAX_LOCAL_BATCH], self._queue[MAX_LOCAL_BATCH:]
            if not self._queue:
                self._queued.clear()
            started = time.perf_counter()
            reach("local.gathered")
            await self._run(batch)
            reach("local.answered")
            if len(batch) > 1:
                await asyncio.sleep(self._pace.rest(time.perf_counter() - started))

    async def _run(self, batch: list[tuple[Input, "asyncio.Future[Result[S]]"]]) -> None:
        if not self._gate.is_open:
            batch = self._turn_away(batch)
        if not batch:
            return
        try:
            results = await self._fold([one for one, _ in batch], lane="local")
        except Exception as error:
            if not isinstance(error, Unavailable):
                self._log.error("local.failed", error=describe(error), error_id=f"{self._name}.local")
            results = [Result("failed", one.request_id, error=error) for one, _ in batch]
        except BaseException:  # whatever it is, those who wait for an answer get one
            _answer(batch, [Result("failed", one.request_id, error=Unavailable("not finished; try again")) for one, _ in batch])
            raise
        _answer(batch, results)

    def _turn_away(
        self, batch: list[tuple[Input, "asyncio.Future[Result[S]]"]]
    ) -> list[tuple[Input, "asyncio.Future[Result[S]]"]]:
        """Answer what may not be taken while the gate is shut, and return the new requests: they are taken."""
        for one, future in batch:
            if not one.new and not future.done():
                future.set_result(Result("failed", one.request_id, error=Unavailable(self._gate.why or "")))
        return [waiting for waiting in batch if waiting[0].new]


def _answer(batch: "list[tuple[Input, asyncio.Future[Result[S]]]]", results: Sequence[Result[S]]) -> None:
    for (_, future), result in zip(batch, results, strict=True):
        if not future.done():
            future.set_result(result)
