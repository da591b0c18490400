"""Waiting until a server does real work: an open port is not readiness."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

from deploy.local.process import ServerProcess, StartError

_PAUSE_SECONDS = 0.1


def wait_until(
    attempt: Callable[[], Awaitable[None]], *, server: ServerProcess | None, name: str, timeout_seconds: float
) -> None:
    """Calls `attempt` until it raises nothing. May be called with or without a running event loop.

    Raises StartError when the process ends meanwhile or the time is over, with the last error and the log's end.
    """
    error: list[Exception] = []

    def in_own_loop() -> None:
        try:
            asyncio.run(_until(attempt, server=server, timeout_seconds=timeout_seconds))
        except Exception as problem:  # handed over to the calling thread, which raises
            error.append(problem)

    thread = threading.Thread(target=in_own_loop, name=f"readiness of {name}")
    thread.start()
    thread.join()
    if error:
        log = f"; end of its log {server.log_file}:\n{server.log_tail()}" if server else ""
        raise StartError(f"{name} did not become ready: {error[0]!r}{log}") from error[0]


async def _until(attempt: Callable[[], Awaitable[None]], *, server: ServerProcess | None, timeout_seconds: float) -> None:
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0.1)):
                return await attempt()
        except Exception:  # whatever the client raises while the server is not there yet
            if server is not None and server.exit_code is not None:
                raise ChildProcessError(f"it exited with code {server.exit_code}") from None
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)
