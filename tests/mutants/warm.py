"""Runs pytest over and over, each time in a fork that has the libraries loaded already and nothing of the code under test.

A line of JSON on standard input: the file that takes the output, and pytest's arguments. A line comes back: its exit code.
"""

import importlib
import json
import os
import sys

import pytest
from hypothesis import Phase, settings

LIBRARIES = (
    "aiokafka",
    "asyncpg",
    "cryptography.x509",
    "fastapi",
    "faststream.kafka",
    "httpx",
    "jinja2",
    "opentelemetry.sdk.trace",
    "playwright.async_api",
    "pydantic_settings",
    "sqlmodel",
    "structlog",
)
"""What takes longest to load; nothing depends on the list."""


def run(output: str, arguments: list[str]) -> int:
    """Run pytest in a fork; return its exit code."""
    child = os.fork()
    if child == 0:
        taking = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for told in (1, 2):
            os.dup2(taking, told)
        code = int(pytest.ExitCode.INTERNAL_ERROR)
        try:
            code = int(pytest.main(arguments))
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    """Serve until standard input ends."""
    for library in LIBRARIES:
        importlib.import_module(library)
    settings.register_profile("any", settings(), phases=(Phase.explicit, Phase.generate))  # any example will do, not the least
    settings.load_profile("any")
    for line in sys.stdin:
        output, *arguments = json.loads(line)
        print(run(output, arguments), flush=True)


if __name__ == "__main__":
    main()
