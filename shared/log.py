"""Logging: events with named fields, one JSON object a line. Only the fields listed here get through.

Free text, names and addresses have no field to travel in; an exception is logged by its class and place, not its text.
"""

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

FIELDS = frozenset({
    "event", "level", "timestamp", "service", "authority", "request_id", "error_id", "topic", "partition", "offset",
    "sequence", "expected", "why", "detail", "count", "limit", "seconds", "attempt", "error", "place", "point", "address",
    "path", "method", "status", "code", "version", "letter", "kind", "lag", "traceparent", "setting", "faults", "logger",
    "level_reached", "queue", "rule", "action", "promise", "table", "port", "folder",
})  # fmt: skip
_QUIET_SECONDS = 10.0


class _OncePerWhile(logging.Filter):
    """Let one line of a library through in ten seconds: a client whose broker is away writes thousands."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now - self._last.get(record.name, -_QUIET_SECONDS) < _QUIET_SECONDS:
            return False
        self._last[record.name] = now
        return True


def _allowed(_logger: Any, _name: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    dropped = fields.keys() - FIELDS
    for name in dropped:
        del fields[name]
    return fields


def configure(*, level: str = "INFO", stream: Any = None) -> None:
    """Send the platform's log to standard error, and the libraries' warnings with it, slowed down and without their text."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _allowed,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(file=stream or sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(logging.Formatter('{"level": "%(levelname)s", "event": "library.warning", "logger": "%(name)s"}'))
    handler.addFilter(_OncePerWhile())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def get_log(service: str) -> Any:
    """Return the log of a service (Any: structlog's bound loggers are duck-typed)."""
    return structlog.get_logger().bind(service=service)
