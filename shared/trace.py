"""Spans, and the context that an HTTP request comes with: made and kept only as far as they cost nothing otherwise.

Every event carries the context of its cause (shared/events/traceparent.py). Spans are made only where a collector is
configured (AIGUILLEUR_OTLP).
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags, Tracer, set_span_in_context
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.events.traceparent import read_traceparent

MOST_LINKS = 100

caller: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The context that the HTTP request under way came with, if it is a valid one."""


class TraceContext:
    """Pure ASGI: keeps the caller's context for as long as their HTTP request lasts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request within its caller's context."""
        told = next((value for name, value in scope.get("headers", ()) if name == b"traceparent"), None)
        if told is None:
            await self._app(scope, receive, send)
            return
        token = caller.set(read_traceparent(told.decode("latin-1")))
        try:
            await self._app(scope, receive, send)
        finally:
            caller.reset(token)


class Tracing:
    """The spans of one service; none are made without an exporter."""

    def __init__(self, service: str, exporter: SpanExporter | None = None) -> None:
        self._provider = TracerProvider(resource=Resource.create({SERVICE_NAME: f"aiguilleur-{service}"})) if exporter else None
        self._tracer = self._provider.get_tracer("aiguilleur") if self._provider else None
        if self._provider and exporter:
            self._provider.add_span_processor(BatchSpanProcessor(exporter))

    @property
    def on(self) -> bool:
        """Whether spans are made."""
        return self._tracer is not None

    def span(
        self, name: str, *, parent: str | None = None, causes: Iterable[str | None] = ()
    ) -> AbstractContextManager[str | None]:
        """Measure what happens within. `parent`: the context it belongs to; `causes`: those that it is linked to.

        Gives the context of the span, for what it causes in its turn; `parent` when no spans are made.
        """
        if self._tracer is None:
            return nullcontext(parent)
        return _measured(self._tracer, name, parent, causes)

    def flush(self) -> None:
        """Hand over what was measured."""
        if self._provider:
            self._provider.force_flush()

    def close(self) -> None:
        """Hand over what was measured, and stop."""
        if self._provider:
            self._provider.shutdown()


@contextmanager
def _measured(tracer: Tracer, name: str, parent: str | None, causes: Iterable[str | None]) -> Iterator[str | None]:
    told = dict.fromkeys(one for one in causes if one)
    links = [Link(_context(one)) for one in list(told)[:MOST_LINKS]]
    above = set_span_in_context(NonRecordingSpan(_context(parent))) if parent else None
    with tracer.start_as_current_span(name, above, links=links, record_exception=False) as span:
        yield _written(span)


def setup(service: str, otlp: str | None) -> Tracing:
    """Return the tracing of a service, which sends its spans to the collector at `otlp` (OTLP over HTTP), if there is one."""
    if otlp is None:
        return Tracing(service)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # only now: it is slow to import

    return Tracing(service, OTLPSpanExporter(endpoint=f"{otlp.rstrip('/')}/v1/traces", timeout=3))


def _context(traceparent: str) -> SpanContext:
    _, trace, parent, flags = traceparent.split("-")
    return SpanContext(int(trace, 16), int(parent, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))


def _written(span: Span | Any) -> str:  # Any: the API's own class, which a sampler may give
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
