"""What a pure module may not do: look at a clock, draw a number, read, write, log, wait."""

import ast
from collections.abc import Iterator

from tests.architecture.tree import Module

_IMPURE_MODULES = (
    "asyncio", "ctypes", "getpass", "http", "importlib", "io", "locale", "logging", "multiprocessing", "os",
    "pathlib", "platform", "queue", "random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "subprocess", "sys",
    "tempfile", "threading", "time", "urllib.request", "uuid.uuid1", "uuid.uuid4", "warnings",
    "shared.app", "shared.clock", "shared.db", "shared.log", "shared.metrics", "shared.settings", "shared.identifiers",
    "shared.delivery.shell", "shared.delivery.store", "shared.delivery.consumer", "shared.delivery.relay",
    "shared.delivery.producer", "shared.pages", "shared.vault",
)  # fmt: skip
_MARKERS = {"shared.pages.problem.N_"}
"""Marks a text for translation and returns it as it is."""
_IMPURE_CALLS = frozenset({"open", "print", "input", "eval", "exec", "compile", "breakpoint", "__import__", "uuid1", "uuid4"})
_CLOCKS = frozenset({"now", "utcnow", "today", "monotonic", "perf_counter", "time_ns"})
_CLOCK_OWNERS = frozenset({"datetime", "date", "time", "dt"})
"""`context.now` is a value; `datetime.now()` is a clock."""


def impurities(module: Module) -> Iterator[str]:
    """What a module does that a pure one may not, with the line."""
    for name in sorted(module.imports() - _MARKERS):
        if any(name == one or name.startswith(f"{one}.") for one in _IMPURE_MODULES):
            yield f"{module.path}: imports {name}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global):
            yield f"{module.path}:{node.lineno}: {type(node).__name__}"
        elif isinstance(node, ast.Call) and (called := _impure_call(node.func)):
            yield f"{module.path}:{node.lineno}: calls {called}"


def _impure_call(called: ast.expr) -> str | None:
    if isinstance(called, ast.Name):
        return called.id if called.id in _IMPURE_CALLS else None
    if not isinstance(called, ast.Attribute):
        return None
    if called.attr in _IMPURE_CALLS and called.attr not in ("compile", "open"):  # re.compile; key.open opens a seal
        return called.attr
    owner = called.value
    named = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
    return f"{named}.{called.attr}" if called.attr in _CLOCKS and named in _CLOCK_OWNERS else None
