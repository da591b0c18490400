"""The frame that every service runs in: shell, consumer, relay, HTTP server, health, and an orderly end."""

import argparse
import asyncio
import errno
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import asyncpg
import uvicorn
import uvloop
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared import log, trace
from shared.clock import Clock, clock_from
from shared.db.pool import open_pool
from shared.delivery.ahead import Name, find_ahead
from shared.delivery.closing import attempt
from shared.delivery.consumer import Consumer
from shared.delivery.errors import place_of
from shared.delivery.gate import Gate
from shared.delivery.housekeeping import keep_house
from shared.delivery.points import reach
from shared.delivery.producer import Producer
from shared.delivery.reader import Admission
from shared.delivery.relay import Relay
from shared.delivery.service import Service
from shared.delivery.shell import Shell
from shared.delivery.watchdog import Watchdog
from shared.guard import begin, end
from shared.memory import tune_collector
from shared.organisation import Authority, ConfigurationError, OrganisationSource
from shared.settings import ServiceSettings, T, describe_settings, read_settings, stop, variable_of
from shared.vault.seal import Vault

S = TypeVar("S")
REFRESH_SECONDS = 2.0
CONSUMER_SECONDS = 12.0
"""What the consumer's stop may take: its places are told (2 s), its client is stopped (5 s), then ended (4 s)."""
KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is kept: longer than a proxy keeps its own (60 s mostly). Who sends must be the one to close, since
a post that is on its way to a connection that is being closed has no answer."""


class App(Generic[S]):
    """One wired service. `app.py` of the service builds it; `serve` runs it until it is told to stop."""

    def __init__(
        self,
        service: Service[S],
        settings: ServiceSettings,
        *,
        organisation: OrganisationSource,
        pool: asyncpg.Pool,
        clock: Clock,
        vault: Vault | None = None,
        gate: Gate | None = None,
        admissions: Mapping[str, Admission] | None = None,
    ) -> None:
        self.name = service.name
        self.settings = settings
        self.organisation = organisation
        self.pool = pool
        self.clock = clock
        self.vault = vault
        self.log = log.get_log(service.name)
        self.tracing = trace.setup(service.name, settings.otlp)
        self.shell: Shell[S] = Shell(
            service,
            pool=pool,
            clock=clock,
            authority_of=self.authority,
            vault=vault,
            gate=gate,
            admissions=admissions,
            parked_limit=settings.parked_limit,
            tracing=self.tracing,
        )
        self.consumer = Consumer(self.shell, bootstrap=settings.kafka, instance=settings.instance)
        self._producer = Producer(settings.kafka, client_id=f"{service.name}-{settings.instance}")
        dsn = settings.database.get_secret_value()
        self.relay = Relay(service.name, dsn=dsn, pool=pool, producer=self._producer, tracing=self.tracing, gate=self.shell.gate)
        self.shell.on_commit = self.relay.wake
        self.watchdog = Watchdog(self.shell, self.consumer, self.relay)
        self._socket: socket.socket | None = None
        self.http = FastAPI(title=f"Aiguilleur {service.name}", version="1", docs_url=None, redoc_url=None)
        self.http.add_middleware(trace.TraceContext)
        self.background: list[Callable[[], Awaitable[None]]] = []
        """The service's own loops (ticks, the sending of mail): each runs for ever and is cancelled at the end."""
        self._add_health()

    def authority(self, code: str) -> Authority:
        """Return the organisation of an authority as it is now. Raises UnknownCode."""
        return self.organisation.current.authority(code)

    def report_page_error(self, error_id: str, error: Exception) -> None:
        """Log that a page or an API failed: the id that its reader was given, what it was and where; never its text."""
        self.log.error("page.failed", error_id=error_id, error=type(error).__name__, place=place_of(error))

    def _add_health(self) -> None:
        @self.http.get("/live", include_in_schema=False)
        async def live() -> Response:
            """Alive means: it makes progress whenever there is something to do (see the watchdog)."""
            fault = self.watchdog.fault()
            return Response(f"{fault}\n", 503) if fault else Response("ok\n")

        @self.http.get("/ready", include_in_schema=False)
        async def ready() -> Response:
            """Ready means: pages can be served, so PostgreSQL answers.

            Kafka may be away, the consumer may have stopped itself, the relay may fail: taking the form away from the town
            would mend none of these. They are told in the body, and by the metrics aiguilleur_halted and _relay_failing.
            """
            try:
                async with asyncio.timeout(2), self.pool.acquire() as connection:
                    await connection.fetchval(f"SELECT 1 FROM {self.name}.position LIMIT 1")  # noqa: S608
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                return Response(f"PostgreSQL: {type(error).__name__}\n", 503)
            told = ["ok"]
            if self.shell.gate.told:
                told.append(self.shell.gate.told)
            if self.consumer.halted:
                told.append(f"the consumer stopped itself: {self.consumer.halted}")
            if self.watchdog.kafka_silent:
                told.append("Kafka does not answer")
            if self.relay.last_error and self.relay.last_error != self.shell.gate.why:
                told.append(f"events cannot be published now: {self.relay.last_error}")
            return Response("\n".join(told) + "\n")

        @self.http.get("/metrics", include_in_schema=False)
        async def metrics() -> Response:
            return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def serve(self, stopping: asyncio.Event) -> None:
        """Run until `stopping` is set: then no new HTTP request, no new batch; what is under way is finished, and published."""
        listening = self._socket or self.listen()
        reach("start.listening")
        frame = [self.shell.local.serve, self.consumer.serve, self.watchdog.serve]
        loops = [*frame, self._compare, self._refresh, self._keep_house]
        tasks = [self._run(loop) for loop in (*loops, *self.background)]
        publishing = self._run(self.relay.serve)
        config = uvicorn.Config(
            self.http,
            host=self.settings.host,
            port=self.settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=10,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        self.log.info("service.started", port=self.settings.port)
        await asyncio.wait([asyncio.create_task(stopping.wait()), serving], return_when=asyncio.FIRST_COMPLETED)
        reach("stop.begun")
        server.should_exit = True
        await serving
        if (error := await attempt(self.consumer.stop(), seconds=CONSUMER_SECONDS)) is not None:
            self.log.error("service.stop_failed", error=error, place="consumer", error_id=f"{self.name}.stop")
        await end(tasks, service=self.name, log=self.log)
        await attempt(self.consumer.ends.close())
        await self.relay.drain()
        await end([publishing], service=self.name, log=self.log)
        await self._producer.close()
        self.pool.terminate()
        await asyncio.to_thread(self.tracing.close)
        self.log.info("service.stopped")

    def listen(self) -> socket.socket:
        """Take the HTTP port, before anything else begins. Stops the start when it cannot be had."""
        host, port = self.settings.host, self.settings.port
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, port), family=family, backlog=2048)
            # Connections inherit it. asyncio sets it by itself only where the socket's protocol is named, which it is not here:
            # without it each answer waits 40 ms for the client's acknowledgement.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            variable = variable_of(type(self.settings), "port")
            if error.errno == errno.EADDRINUSE:
                stop(f"{self.name}: port {port} of {host} is taken: set {variable} to another one, or stop what listens there")
            stop(f"{self.name}: cannot listen on port {port} of {host} ({variable}): {error.strerror}")
        return self._socket

    def _run(self, loop: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        return begin(loop, service=self.name, log=self.log)

    async def find_ahead(self) -> Name | None:
        """Return an event of ours that the log has and the database does not know. Raises what `find_ahead` raises."""
        return await find_ahead(self.pool, self.settings.kafka, self.name)

    async def _compare(self) -> None:
        await self.shell.gate.serve(self.find_ahead)

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            if self.organisation.refresh():
                self.log.info("organisation.reloaded", version=self.organisation.current.version)
            elif self.organisation.faults:
                self.log.error("organisation.refused", faults=len(self.organisation.faults), error_id=f"{self.name}.organisation")

    async def _keep_house(self) -> None:
        await keep_house(self.shell, self.relay)


class _Server(uvicorn.Server):
    """uvicorn's server without its own signal handlers: the frame has one for all."""

    async def serve(self, sockets: Any = None) -> None:
        """Serve without catching signals."""
        await self._serve(sockets)


async def open_parts(settings: ServiceSettings, name: str) -> dict[str, Any]:
    """Return what a service's `build` hands to App: organisation, pool, clock, vault. Stops the start on a fault."""
    try:
        organisation = OrganisationSource(settings.organisation)
    except ConfigurationError as error:
        stop(f"the organisation's files have faults:\n{error}")
    vault = None
    if settings.keys is not None:
        try:
            vault = Vault.from_text(settings.keys.get_secret_value())
        except ValueError as error:
            stop(f"AIGUILLEUR_KEYS: {error}")
    gate = Gate(name)
    pool = await open_pool(settings.database.get_secret_value(), name=name, look=gate.look)
    clock = clock_from(settings.clock_file)
    return {"organisation": organisation, "pool": pool, "clock": clock, "vault": vault, "gate": gate}


Build = Callable[[Any], Awaitable[App[Any]]]


async def serve_all(builds: Sequence[tuple[Build, ServiceSettings]]) -> None:
    """Build and run services in this process until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    apps = [await build(settings) for build, settings in builds]
    for app in apps:
        app.listen()
    await asyncio.gather(*(app.serve(stopping) for app in apps))


def main(name: str, purpose: str, settings_class: type[T], build: Build) -> None:
    """Run one service: read the environment, build, serve. `--help` lists the settings."""
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{name}",
        description=f"{purpose}\n\nSettings, from the environment:\n{describe_settings(settings_class)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    settings = read_settings(settings_class)
    log.configure(level=settings.log_level)
    tune_collector()
    uvloop.run(serve_all([(build, settings)]))
