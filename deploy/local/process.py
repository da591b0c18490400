"""A server process that is ours to end: in its own session, recorded in a pid file, ended by its id.

It is ended when asked, at interpreter exit, and on SIGTERM; if this interpreter is killed -9, the pid file lets the
next run end what was left.
"""

import atexit
import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

_running: dict[int, "ServerProcess"] = {}
_owner_pid = 0


class StartError(RuntimeError):
    """A server did not start. The message carries the end of its log."""


class ServerProcess:
    """One run of a server. `log_file` gets its output, `pid_file` its id while it runs."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        log_file: Path,
        pid_file: Path,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        _end_all_at_exit()
        end_recorded(pid_file)
        self.log_file, self.pid_file, self._stop_signal = log_file, pid_file, stop_signal
        with log_file.open("ab") as log:
            self._popen = subprocess.Popen(
                [str(argument) for argument in arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                **as_user(user),
            )
        self._handle = psutil.Process(self._popen.pid)
        pid_file.write_text(f"{self.pid} {self._handle.create_time()}\n")
        _running[self.pid] = self

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def log_tail(self, lines: int = 25) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])

    def send(self, number: signal.Signals) -> None:
        if self.exit_code is None:
            self._popen.send_signal(number)

    def stop(self, number: signal.Signals | None = None, *, timeout_seconds: float = 20) -> None:
        """Asks politely, then kills. Returns when the process and its children are gone."""
        children = self._children()
        self.resume()
        self.send(number or self._stop_signal)
        try:
            self._popen.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self._popen.kill()
        self._gone(children)

    def kill(self) -> None:
        """kill -9 of the process and its children, as a power cut would."""
        children = self._children()
        self.send(signal.SIGKILL)
        for child in children:
            _send(child, signal.SIGKILL)
        self._gone(children)

    def members(self) -> list[int]:
        """The ids of the process and its children."""
        return [self.pid, *(child.pid for child in self._children())]

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nobody answers."""
        for member in (self._handle, *self._children()):
            _send(member, signal.SIGSTOP)

    def resume(self) -> None:
        for member in (self._handle, *self._children()):
            _send(member, signal.SIGCONT)

    def _children(self) -> list[psutil.Process]:
        try:
            return self._handle.children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def _gone(self, children: list[psutil.Process]) -> None:
        self._popen.wait(20)
        for child in psutil.wait_procs(children, timeout=1)[1]:
            _send(child, signal.SIGKILL)
        psutil.wait_procs(children, timeout=5)
        self.pid_file.unlink(missing_ok=True)
        _running.pop(self.pid, None)


def as_user(name: str | None) -> dict[str, Any]:
    """Keyword arguments of subprocess (hence Any) to run as another user, without this user's groups."""
    if name is None:
        return {}
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def end_recorded(pid_file: Path) -> None:
    """Ends what an earlier run left behind, if that id still belongs to the very same process."""
    try:
        pid, started_at = pid_file.read_text().split()
        left_over = psutil.Process(int(pid))
        if abs(left_over.create_time() - float(started_at)) < 1:
            family = [left_over, *left_over.children(recursive=True)]
            for member in family:
                _send(member, signal.SIGKILL)
            psutil.wait_procs(family, timeout=10)
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        pass
    pid_file.unlink(missing_ok=True)


def _send(member: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):  # it ended meanwhile
        member.send_signal(number)


def _end_all() -> None:
    if os.getpid() == _owner_pid:  # a forked child must not end its parent's servers
        for server in list(_running.values()):
            server.stop(timeout_seconds=10)


def _exit_on_sigterm(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)  # unwinds, then atexit


def _end_all_at_exit() -> None:
    global _owner_pid
    if _owner_pid == os.getpid():
        return
    _owner_pid = os.getpid()
    _running.clear()
    atexit.register(_end_all)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if in_main_thread and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _exit_on_sigterm)
