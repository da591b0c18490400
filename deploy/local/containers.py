"""The same servers in Docker containers. Addresses stay the same over kill and restart: host ports are fixed."""

from pathlib import Path
from string import Template
from typing import Any, Self

import docker
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer

from deploy.local import ports
from deploy.local.kafka import produce_and_read
from deploy.local.postgres import answers, new_password
from deploy.local.readiness import wait_until

KAFKA_IMAGE = "apache/kafka:4.1.1"
POSTGRES_IMAGE = "postgres:17"
_READY_SECONDS = 90


def daemon_answers() -> bool:
    try:
        return bool(docker.from_env(timeout=3).ping())
    except DockerException:
        return False


class _Container:
    def __init__(self, image: str, *, port: int, port_inside: int, environment: dict[str, str]) -> None:
        self.port = port
        self._container = DockerContainer(image).with_bind_ports(port_inside, port)
        for name, value in environment.items():
            self._container.with_env(name, value)

    @property
    def _docker(self) -> Any:  # the docker package has no types
        return self._container.get_wrapped_container()

    def start(self) -> None:
        self._container.start()
        self._wait()

    def stop(self) -> None:
        self._container.stop()

    def kill(self) -> None:
        self._docker.kill()

    def restart(self) -> None:
        self._docker.restart()
        self._wait()

    def pause(self) -> None:
        self._docker.pause()

    def resume(self) -> None:
        self._docker.unpause()

    def _wait(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class KafkaContainer(_Container):
    def __init__(self) -> None:
        port = ports.free_port()
        super().__init__(KAFKA_IMAGE, port=port, port_inside=port, environment=_kafka_environment(port))

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _wait(self) -> None:
        wait_until(lambda: produce_and_read(self.port), server=None, name=KAFKA_IMAGE, timeout_seconds=_READY_SECONDS)


class PostgresContainer(_Container):
    def __init__(self) -> None:
        self._password = new_password()
        environment = {"POSTGRES_PASSWORD": self._password, "POSTGRES_INITDB_ARGS": "-E UTF8 --no-locale"}
        super().__init__(POSTGRES_IMAGE, port=ports.free_port(), port_inside=5432, environment=environment)

    @property
    def dsn(self) -> str:
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self.port}/postgres"

    def _wait(self) -> None:
        wait_until(lambda: answers(self.dsn), server=None, name=POSTGRES_IMAGE, timeout_seconds=_READY_SECONDS)


def _kafka_environment(port: int) -> dict[str, str]:
    """The image reads each setting from a variable; one port, so that the advertised address holds inside too."""
    template = Template(Path(__file__).with_name("kafka.properties").read_text())
    text = template.substitute(port=port, controller_port=port + 1, folder="/tmp/kafka")  # noqa: S108 - in the container
    settings = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    # The image formats without --standalone: it wants its voters named.
    settings["controller.quorum.voters"] = f"1@127.0.0.1:{port + 1}"
    del settings["controller.quorum.bootstrap.servers"]
    settings["listeners"] = f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://127.0.0.1:{port + 1}"
    return {"KAFKA_" + name.upper().replace(".", "_"): value for name, value in settings.items()}
