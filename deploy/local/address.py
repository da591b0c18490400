"""Which servers a test or the demo uses: an address in the environment, else Docker, else local processes.

    AIGUILLEUR_KAFKA            host:port of a bootstrap server
    AIGUILLEUR_POSTGRES_ADMIN   postgresql://… of a role that may create databases and roles
    AIGUILLEUR_SMTP             smtp://host:port

Each is a context manager; what it started ends with it, what was there already stays untouched. Data stays in
`folder` until `folders.remove(folder)`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local import containers
from deploy.local.kafka import KafkaServer
from deploy.local.mailsink import MailSink
from deploy.local.postgres import PostgresServer


def any_given() -> bool:
    """Tell whether a server of the demo is one that was there before, and stays."""
    return bool(os.environ.get("AIGUILLEUR_KAFKA") or os.environ.get("AIGUILLEUR_POSTGRES_ADMIN"))


class NotOursError(RuntimeError):
    """The server was given by an address: nothing here may kill or restart it."""


class Controlled(Protocol):
    """A server that tests may hurt. The address stays the same over kill and restart."""

    def kill(self) -> None: ...
    def restart(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Kafka(Controlled, Protocol):
    @property
    def bootstrap(self) -> str: ...


class Postgres(Controlled, Protocol):
    @property
    def dsn(self) -> str: ...


@dataclass(frozen=True)
class MailAddress:
    """`page` shows the mails; None when the server was given by its address."""

    smtp: str
    page: str | None


class _Given:
    def __init__(self, variable: str) -> None:
        self._variable = variable

    def _refuse(self) -> None:
        raise NotOursError(f"{self._variable} names this server; unset it to let the tests start one they may hurt")

    kill = restart = pause = resume = _refuse


class GivenKafka(_Given):
    def __init__(self, bootstrap: str) -> None:
        super().__init__("AIGUILLEUR_KAFKA")
        self.bootstrap = bootstrap


class GivenPostgres(_Given):
    def __init__(self, dsn: str) -> None:
        super().__init__("AIGUILLEUR_POSTGRES_ADMIN")
        self.dsn = dsn


@contextmanager
def kafka_server(folder: Path) -> Iterator[Kafka]:
    if given := os.environ.get("AIGUILLEUR_KAFKA"):
        yield GivenKafka(given)
    elif containers.daemon_answers():
        with containers.KafkaContainer() as container:
            yield container
    else:
        with KafkaServer(folder) as server:
            yield server


@contextmanager
def postgres_server(folder: Path) -> Iterator[Postgres]:
    if given := os.environ.get("AIGUILLEUR_POSTGRES_ADMIN"):
        yield GivenPostgres(given)
    elif containers.daemon_answers():
        with containers.PostgresContainer() as container:
            yield container
    else:
        with PostgresServer(folder) as server:
            yield server


@contextmanager
def kafka(folder: Path) -> Iterator[str]:
    """The bootstrap address, host:port."""
    with kafka_server(folder) as server:
        yield server.bootstrap


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The administrator's DSN, postgresql://…"""
    with postgres_server(folder) as server:
        yield server.dsn


@contextmanager
def smtp(folder: Path) -> Iterator[MailAddress]:
    """The local sink needs no Docker: it is ours."""
    if given := os.environ.get("AIGUILLEUR_SMTP"):
        yield MailAddress(smtp=given, page=None)
    else:
        with MailSink(folder) as sink:
            yield MailAddress(smtp=sink.smtp, page=sink.url)
