"""What the shipped code says to the outside world while it is simulated: metrics go nowhere, the log is counted."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from shared.events.envelope import encode_value

_MEASURED = ("shared.delivery.shell", "services.sla.ticks", "services.notifier.sender")


class Silence:
    """Takes any metric and forgets it."""

    def __getattr__(self, name: str) -> "Silence":
        setattr(self, name, self)  # asked for once
        return self

    def __call__(self, *_: object, **__: object) -> "Silence":
        return self


class CountedLog:
    """Stands for a service's structlog logger: counts the events of each name."""

    def __init__(self, service: str, told: Counter[tuple[str, str]]) -> None:
        self._service = service
        self._told = told

    def _note(self, event: str, **_fields: Any) -> None:  # Any: whatever a log line holds
        self._told[self._service, event] += 1

    debug = info = warning = error = _note


@contextmanager
def quiet(references: Iterator[str], encode: Callable[[Any], bytes] = encode_value) -> Iterator[None]:
    """Silence the metrics; draw the references of requests from an iterator, so that a seed says all; encode events this way."""
    silence = Silence()
    with ExitStack() as patches:
        for module in _MEASURED:
            patches.enter_context(patch(f"{module}.metrics", silence))
        patches.enter_context(patch("services.intake.submission.new_reference", lambda: next(references)))
        patches.enter_context(patch("shared.delivery.core.encode_value", encode))
        yield
