"""A real PostgreSQL on a free loopback port, with a generated password."""

import os
import re
import secrets
import signal
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import asyncpg

from deploy.local import ports, postgres_binaries
from deploy.local.process import ServerProcess, StartError, as_user
from deploy.local.readiness import wait_until

_READY_SECONDS = 30
_STARTS = 3
_ENVIRONMENT = {"LC_ALL": "C"}
_REFUSED = re.compile(r"\[\d+\] (?:(\S+) )?(?:WARNING|ERROR|LOG|FATAL|PANIC):  .*(?:could not extend file|File too large)")
"""A line of the log, and the role in it; of the server's own processes it names none."""


class PostgresServer:
    """`folder` keeps data and password; the address stays the same over kill and restart.

    After `start` the server has answered a query. It refuses to run as root: as root it runs as user nobody.
    """

    def __init__(self, folder: Path, port: int | None = None, *, initdb: Sequence[str] = ()) -> None:
        self.folder = folder.resolve()
        self._port_is_given = port is not None
        self.port = port or ports.free_port()
        self._process: ServerProcess | None = None
        self._password = ""
        self._initdb = initdb

    @property
    def dsn(self) -> str:
        """The administrator's address, of the database `postgres`."""
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def _running(self) -> ServerProcess:
        if self._process is None:
            raise RuntimeError("this PostgreSQL has not been started")
        return self._process

    @property
    def _user(self) -> str | None:
        return "nobody" if os.geteuid() == 0 else None

    @property
    def _home(self) -> Path:
        return postgres_binaries.reachable(self.folder) if self._user else self.folder

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        user, home = self._user, self._home
        binaries = postgres_binaries.find(reachable_by_all=user is not None)
        self._password = _kept_password(home / "password")
        if not (home / "data" / "PG_VERSION").exists():
            _initialise(home, binaries=binaries, user=user, password=self._password, more=self._initdb)
        for attempt in range(1, _STARTS + 1):
            try:
                return self._start_once(binaries / "postgres", home / "data", user=user)
            except StartError as error:
                if attempt == _STARTS or self._port_is_given or "Address already in use" not in str(error):
                    raise
                self.port = ports.free_port()

    def stop(self) -> None:
        """The fast shutdown (SIGINT): open transactions are rolled back, data is checkpointed."""
        if self._process is not None:
            self._process.stop()

    def stop_at_once(self) -> None:
        """The immediate shutdown (SIGQUIT): nothing is finished, nothing checkpointed; the next start recovers from the WAL."""
        self._running.stop(signal.SIGQUIT)

    def limit_files(self, most_bytes: int | None) -> None:
        """Have the server find no room past this size of a file, or take the limit away (None).

        By `prlimit` of util-linux, as the server's own user: without more rights nobody else may.
        """
        limit = "unlimited" if most_bytes is None else most_bytes
        for process in self._running.members():
            command = ["prlimit", f"--pid={process}", f"--fsize={limit}:"]
            done = subprocess.run(command, capture_output=True, text=True, check=False, **as_user(self._user))
            if done.returncode != 0 and Path(f"/proc/{process}").exists():
                raise RuntimeError(f"prlimit: {done.stderr}")

    def refused_writes(self) -> Counter[str]:
        """How often a write has found no room (see `limit_files`), by the role that wrote ("": the server itself), by its log."""
        log = (self.folder / "postgres.log").read_text(errors="replace")
        return Counter(found[1] or "" for found in _REFUSED.finditer(log))

    def kill(self) -> None:
        """kill -9 of the server and all its backends."""
        self._running.kill()

    def restart(self) -> None:
        """Starts again on the same data and address; stops it first if it still runs."""
        self.stop()
        self._port_is_given = True
        self.start()

    def pause(self) -> None:
        """SIGSTOP of the server and its backends: connections stay open and nobody answers."""
        self._running.pause()

    def resume(self) -> None:
        self._running.resume()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_once(self, postgres: Path, data: Path, *, user: str | None) -> None:
        arguments: list[str | Path] = [postgres, "-D", data, "-p", str(self.port)]
        arguments += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        arguments += ["-c", "log_line_prefix=%m [%p] %q%u "]  # who it was, where it was somebody
        arguments += ["-c", "max_connections=200", "-c", "timezone=UTC", "-c", "log_timezone=UTC"]
        self._process = ServerProcess(
            arguments,
            log_file=self.folder / "postgres.log",
            pid_file=self.folder / "postgres.pid",
            environment=_ENVIRONMENT,
            user=user,
            stop_signal=signal.SIGINT,
        )
        try:
            wait_until(
                lambda: answers(self.dsn),
                server=self._process,
                name=f"PostgreSQL at 127.0.0.1:{self.port}",
                timeout_seconds=_READY_SECONDS,
            )
        except StartError:
            self._process.kill()
            raise


async def answers(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.fetchval("SELECT 1")
    finally:
        await connection.close()


def new_password() -> str:
    return secrets.token_urlsafe(24)


def _kept_password(file: Path) -> str:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(new_password())
    return file.read_text()


def _initialise(home: Path, *, binaries: Path, user: str | None, password: str, more: Sequence[str]) -> None:
    """initdb's half-made data is removed by initdb itself when it fails."""
    password_file = home / "password.initdb"
    data = home / "data"
    data.mkdir(mode=0o700)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if user:
        account = as_user(user)
        for path in (data, password_file):
            os.chown(path, account["user"], account["group"])
    command = [binaries / "initdb", "-D", data, "-U", "postgres", "--auth=scram-sha-256"]
    command += ["--pwfile", password_file, "-E", "UTF8", "--no-locale", *more]
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd="/",
            env={**os.environ, **_ENVIRONMENT},
            capture_output=True,
            text=True,
            check=False,
            **as_user(user),
        )
    finally:
        password_file.unlink()
    if done.returncode != 0:
        raise StartError(f"initdb of {data} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
