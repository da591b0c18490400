"""The watchdog: is this process doing its work? What it says is what `/live` says, and a red `/live` is a restart.

So it turns red for what a restart can mend, and for nothing else:

- Records wait, PostgreSQL and Kafka both answer, and for 11.5 s the position in PostgreSQL has not moved: a batch that fails
  for ever, a fetcher or a client that hangs without an error.
- The same where the group has not told us for 45 s which partitions are ours, in any partition that was ever read.
- The same for the relay: it leads, rows wait in the outbox, no error was told, nothing is published.

It stays green while PostgreSQL or Kafka is away (asked over connections of its own, and by what the shell was told:
`Unavailable`), and while the consumer has halted itself: those are told by `/ready`, the metrics and `aiguilleur status`.
Nor does it count the time in which the process itself stood still (SIGSTOP, a machine that was suspended): it goes on by itself.
"""

import asyncio
import time
from typing import Any

from shared import metrics
from shared.delivery.consumer import Consumer
from shared.delivery.errors import Unavailable
from shared.delivery.points import reach
from shared.delivery.relay import Relay
from shared.delivery.shell import Shell
from shared.delivery.store import Place

LOOK_SECONDS = 1.0
ANSWER_SECONDS = 5.0
STALLED_SECONDS = 11.5
"""Looked at and asked for once a second, it is told within 15 s. A member of the group that stands still keeps the others
waiting for 10 s (`session_timeout_ms`), and that mends itself."""
JOIN_SECONDS = 45.0
"""A request to join may be lost on its way, and is given up after 40 s (aiokafka's request_timeout_ms). A group that waits for a
member, or a broker that has just started, takes long, too: to start again would only put us at the end of the line."""
STOOD_STILL_SECONDS = 5.0
"""A second that takes so long to pass passed while nothing in this process ran."""
PARTITION_STALLED_SECONDS = 120.0
"""For one partition while others move: catching up, a consumer may leave one alone for a while. What its client holds of the
others comes first, up to 1 MiB of each: for the 24 partitions of a service that is a minute at 400 records of 1 kB a second."""


class Watchdog:
    """Watches the consumer and the relay of one service."""

    def __init__(
        self,
        shell: Shell[Any],
        consumer: Consumer,
        relay: Relay,
        *,
        patience_seconds: float = STALLED_SECONDS,
        join_seconds: float = JOIN_SECONDS,
    ) -> None:
        self._shell = shell
        self._consumer = consumer
        self._relay = relay
        self._patience = patience_seconds
        self._join_patience = join_seconds
        self._has_joined = False
        self._excused: float | None = None
        """When last nothing could be expected of the consumer (monotonic seconds); None: nobody watches."""
        self.kafka_silent = False
        """Whether Kafka did not answer when it was last asked. A restart mends nothing; `/ready` tells."""
        self._answering_since: float | None = None
        self._question: asyncio.Task[tuple[dict[Place, int], bool]] | None = None
        self._positions: dict[Place, int] = {}
        self._standing: dict[Place, float] = {}
        """Per partition of ours in which something waits: since when its position stands still."""
        self._pending_since: float | None = None
        self._ticked = time.monotonic()
        """When this process was last known to run."""

    async def serve(self) -> None:
        """Look once a second, for ever."""
        if self._excused is None:
            self._excuse(time.monotonic())
        keeping_time = asyncio.create_task(self._keep_time())
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            keeping_time.cancel()

    async def _keep_time(self) -> None:
        while True:
            now = time.monotonic()
            if now - self._ticked > STOOD_STILL_SECONDS:
                self._excuse(now)
            self._ticked = now
            await asyncio.sleep(LOOK_SECONDS)

    def _excuse(self, now: float) -> None:
        """Begin to count anew."""
        self._excused, self._answering_since, self._pending_since = now, None, None
        self._standing.clear()

    async def look(self) -> None:
        """Compare what waits with what was done."""
        reach("watchdog.look")
        self._has_joined = self._consumer.has_joined
        assigned = self._consumer.assigned()
        progress = await self._find_progress()
        ends = await self._consumer.ends.find(self._watched(assigned, progress[0])) if progress is not None else None
        now = time.monotonic()
        self.kafka_silent = progress is not None and ends is None
        if self.kafka_silent:  # perhaps only for us, and without an error: nobody else would say so
            metrics.UNAVAILABLE.labels(self._shell.service.name, "kafka").inc()
        if progress is None or ends is None or not self._shell.gate.is_open:
            self._excuse(now)
            return
        positions = {place: progress[0].get(place, 0) for place in ends}
        waiting = {place for place, (begin, end) in ends.items() if end > max(positions[place], begin)}
        lag = sum(ends[place][1] - max(positions[place], ends[place][0]) for place in waiting)
        metrics.LAG.labels(self._shell.service.name).set(lag)
        if not waiting or self._consumer.halted or positions != self._positions:
            self._excused = now
        standing = {place for place in waiting if self._positions.get(place) == positions[place]}
        self._standing = {place: self._standing.get(place, now) for place in standing}
        self._positions = positions
        self._answering_since = self._answering_since or now
        self._pending_since = (self._pending_since or now) if progress[1] else None

    def _watched(self, assigned: set[Place], positions: dict[Place, int]) -> set[Place]:
        """Return our partitions; before we know them, all that were ever read: if others move there, all is well."""
        return assigned if self._has_joined else set(positions)

    async def _find_progress(self) -> tuple[dict[Place, int], bool] | None:
        """Return the positions, and whether the outbox holds something to publish; None: PostgreSQL does not answer.

        A question without an answer is left alone, not cancelled: cancelling one waits for PostgreSQL, too.
        """
        if self._question is None:
            self._question = asyncio.create_task(self._shell.positions.find_progress())
        done, _ = await asyncio.wait({self._question}, timeout=ANSWER_SECONDS)
        if not done:
            return None
        question, self._question = self._question, None
        try:
            return question.result()
        except Unavailable:
            return None

    def fault(self) -> str | None:
        """Return what stands still although it could go on, in one sentence; None: all is well, or a restart mends nothing."""
        now = time.monotonic()
        if self._excused is None or now - self._ticked > STOOD_STILL_SECONDS:
            return None
        idle = now - max(self._excused, self._consumer.progressed)
        if idle > (self._patience if self._has_joined else max(self._patience, self._join_patience)):
            joined = "" if self._has_joined else ", and the group says nothing"
            return f"nothing taken from Kafka for {idle:.0f} s although records wait{joined}"
        if not self._consumer.halted and any(now - since > PARTITION_STALLED_SECONDS for since in self._standing.values()):
            return "nothing taken from one partition for 2 minutes although records wait there"
        if self._pending_since is None or self._answering_since is None or not self._relay.leads or self._relay.last_error:
            return None
        idle = now - max(self._pending_since, self._answering_since, self._relay.progressed)
        return f"nothing published for {idle:.0f} s although events wait" if idle > self._patience else None
