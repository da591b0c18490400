"""The relay: publishes what the shell committed to the outbox, in order, in sets. One per service at a time."""

import asyncio
import time
from contextlib import suppress

import asyncpg

from shared import metrics
from shared.db.pool import KEEPALIVE, Connection
from shared.delivery.errors import UNAVAILABLE, Unavailable
from shared.delivery.gate import Gate
from shared.delivery.pace import Pace
from shared.delivery.parked_rows import decode_headers
from shared.delivery.points import reach
from shared.delivery.producer import NOT_SENT, Producer
from shared.delivery.values import Outgoing
from shared.events.envelope import encode_headers
from shared.log import get_log
from shared.trace import Tracing

SET = 500
PACE_SECONDS = 0.005
REST_TIMES = 2.0
DRAIN_SECONDS = 2.0
"""How long a process that stops waits for its last events to be published."""
LOOK_SECONDS = 1.0
"""How often the outbox is looked at without being woken: what a replica without the lock committed, should its word be lost."""
ARCHIVE_DAYS = 14
END_SECONDS = 10.0
"""How long the session of a relay may take to end (of a process that stands still it does at once)."""


def headers_of(one: Outgoing, *, source: str) -> list[tuple[str, bytes]]:
    """Return the envelope of an event, or the headers that the copy of a parked record came with. `source`: "/aiguilleur/sla"."""
    if one.headers is not None:
        return decode_headers(one.headers)
    assert one.sequence is not None and one.at is not None, "an event of ours has both"
    return encode_headers(
        type=one.type,
        source=source,
        id=f"{one.request_id}.{one.topic}.{one.sequence}",
        sequence=one.sequence,
        time=one.at,
        traceparent=one.traceparent,
        seen=one.seen,
    )


def _lock_of(service: str) -> str:
    """Return whose hash is the key of the advisory lock that the leading relay of a service holds."""
    return f"aiguilleur relay {service}"


async def end_leader(connection: Connection, service: str) -> None:
    """End the session of the relay that leads, if one does, so that it cannot mark what it has sent and not marked yet.

    It loses its lock, connects anew, and publishes this once more. Raises Unavailable: the session did not end in time.
    """
    sql = """SELECT bool_and(pg_terminate_backend(pid, $2)) FROM pg_locks
             WHERE locktype = 'advisory' AND granted AND objsubid = 1
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND (classid::bigint << 32) | objid::bigint = hashtext($1)"""
    if await connection.fetchval(sql, _lock_of(service), int(END_SECONDS * 1000)) is False:
        raise Unavailable(f"the session of the relay of {service} did not end within {END_SECONDS:g} s; try again")


class Relay:
    """Publishes the outbox of one service. Several replicas may run; the one that holds the advisory lock works."""

    def __init__(
        self,
        service: str,
        *,
        dsn: str,
        pool: asyncpg.Pool,
        producer: Producer,
        tracing: Tracing | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._service = service
        self._gate = gate or Gate(service, watched=False)
        self._source = f"/aiguilleur/{service}"
        self._dsn = dsn
        self._pool = pool
        self._producer = producer
        self._tracing = tracing or Tracing(service)
        self._woken, self._drained = asyncio.Event(), asyncio.Event()
        self._pace = Pace(PACE_SECONDS, times=REST_TIMES)
        self._log = get_log(service)
        self.leads = False
        self.last_error: str | None = None
        """What kept the relay from publishing; None once it published again, or has nothing to publish."""
        self.progressed = time.monotonic()
        """When the outbox was last seen empty or something was published (monotonic seconds)."""

    def wake(self) -> None:
        """Say that something was committed. A replica that does not lead tells the one that does."""
        self._woken.set()

    async def drain(self) -> None:
        """Return when what was committed before is published, or when it cannot be now: whoever leads next publishes it.

        For a process that stops: its service may be away for long, and its database may be restored meanwhile.
        """
        self._drained.clear()
        self._woken.set()
        if self.leads and self.last_error is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._drained.wait()

    async def serve(self) -> None:
        """Publish for ever; wait and begin again when PostgreSQL or Kafka is away."""
        delay = 0.1
        while True:
            try:
                connection = await asyncpg.connect(self._dsn, timeout=5, command_timeout=60, server_settings=KEEPALIVE)
            except UNAVAILABLE as error:
                self._note(type(error).__name__)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)
                continue
            delay = 0.1
            reach("relay.connected")
            try:
                await self._gate.look(connection)
                await self._serve_with(connection)
            except UNAVAILABLE as error:
                reach("relay.lost")
                self._note(type(error).__name__)
                metrics.UNAVAILABLE.labels(self._service, "postgresql").inc()
                await asyncio.sleep(0.2)
            finally:
                self.leads = False
                connection.terminate()

    async def _serve_with(self, connection: asyncpg.Connection) -> None:
        channel = f"outbox_{self._service}"
        while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", _lock_of(self._service)):
            self._stand_by()
            await self._notify_leader(connection, channel)
        self.progressed = time.monotonic()
        self.leads = True
        reach("relay.leads")
        self._note(None)
        await connection.add_listener(channel, lambda *_: self._woken.set())
        while True:
            if self._gate.why is not None:
                self._note(self._gate.why)
                await self._gate.pass_()
            self._woken.clear()
            started = time.monotonic()
            published = await self._publish_set(connection)
            if published >= SET:
                continue
            if published == 0:
                self._note(None)
                self.progressed = time.monotonic()
                if not self._woken.is_set():
                    self._drained.set()
                await self._wait(LOOK_SECONDS)
            else:
                await asyncio.sleep(self._pace.rest(time.monotonic() - started))

    def _stand_by(self) -> None:
        """Say nothing of what waits, and of what once kept it from going out: that is the leader's to tell now."""
        self._note(None)
        metrics.OUTBOX_OLDEST.labels(self._service).set(0)
        metrics.OUTBOX_PENDING.labels(self._service).set(0)

    async def _notify_leader(self, connection: asyncpg.Connection, channel: str) -> None:
        """Pass a wake-up on to the replica that leads, then see a little later whether it still does."""
        if await self._wait(LOOK_SECONDS):
            self._woken.clear()
            await connection.execute("SELECT pg_notify($1, '')", channel)
            await asyncio.sleep(0.01)

    async def _wait(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True

    async def _publish_set(self, connection: asyncpg.Connection) -> int:
        rows = await connection.fetch(
            f"SELECT id, {', '.join(Outgoing._fields)}, "  # noqa: S608  # the service's own schema
            f"extract(epoch FROM now() - created_at)::float8 AS age FROM {self._service}.outbox "
            "WHERE published_at IS NULL ORDER BY id LIMIT $1",
            SET,
        )
        metrics.OUTBOX_OLDEST.labels(self._service).set(rows[0]["age"] if rows else 0)
        metrics.OUTBOX_PENDING.labels(self._service).set(len(rows))
        if not rows:
            return 0
        reach("relay.after_claim")
        with self._tracing.span("publish", causes=(row["traceparent"] for row in rows)):
            await self._send(rows)
        reach("relay.after_send")
        await connection.execute(
            f"UPDATE {self._service}.outbox SET published_at = now() WHERE id = ANY($1::bigint[])",  # noqa: S608
            [row["id"] for row in rows],
        )
        reach("relay.after_mark")
        self.progressed = time.monotonic()
        metrics.PUBLISHED.labels(self._service).inc(len(rows))
        return len(rows)

    async def _send(self, rows: list[asyncpg.Record]) -> None:
        outgoing = [Outgoing(*row[1:-1]) for row in rows]
        records = [(one.topic, one.key, headers_of(one, source=self._source), one.value) for one in outgoing]
        delay = 0.05
        while True:
            try:
                await self._producer.send(records)
            except NOT_SENT as error:
                reach("relay.not_sent")
                self._note(type(error).__name__)
                metrics.PUBLISH_ERRORS.labels(self._service).inc()
                self._log.warning("relay.kafka_unavailable", error=type(error).__name__, count=len(records))
                await asyncio.sleep(delay)
                delay = min(delay * 2, 1.0)
            else:
                self._note(None)
                return

    def _note(self, error: str | None) -> None:
        self.last_error = error
        metrics.RELAY_FAILING.labels(self._service).set(0 if error is None else 1)

    async def prune(self) -> int:
        """Delete what was published more than 14 days ago. Return how many rows went."""
        status = await self._pool.execute(
            f"DELETE FROM {self._service}.outbox WHERE published_at IS NOT NULL "  # noqa: S608
            f"AND created_at < now() - interval '{ARCHIVE_DAYS} days'"
        )
        return int(status.split()[-1])
