"""One request is one trace: contexts in and out, and spans where somebody collects them."""

import asyncio
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.clock import SetClock
from shared.delivery.shell import Shell
from shared.delivery.values import Input
from shared.events.traceparent import read_traceparent, traceparent_of
from shared.organisation import Authority
from shared.trace import TraceContext, Tracing, caller
from tests.delivery.bench import WITH_ROWS, Bench
from tests.delivery.memory import Memory
from tests.delivery.sample import NOW, REQUEST, Notes, Say, added

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (CALLER, CALLER),
        (CALLER[:-2] + "00", CALLER[:-2] + "00"),
        (CALLER[:-2] + "ff", CALLER),
        ("42" + CALLER[2:] + "-what-a-later-version-adds", CALLER),
        (CALLER + "-more", None),
        ("ff" + CALLER[2:], None),
        (CALLER.upper(), None),
        ("00-" + "0" * 32 + "-00f067aa0ba902b7-01", None),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01", None),
        ("00-4bf9-00f067aa0ba902b7-01", None),
        (CALLER + "\n", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_valid_context_is_taken_over(text: str | None, read: str | None) -> None:
    assert read_traceparent(text) == read


@given(st.uuids(version=4))
def test_a_request_has_a_valid_context_of_its_own(request_id: uuid.UUID) -> None:
    own = traceparent_of(request_id)
    assert read_traceparent(own) == own
    assert own.split("-")[1] == request_id.hex


def test_an_event_carries_the_context_of_its_cause(memory: Memory) -> None:
    raw = added(1, "a")
    memory.deliver(raw._replace(headers=(*raw.headers, ("traceparent", CALLER.encode()))))
    memory.deliver(added(2, "b", offset=1))

    assert [one.traceparent for one in memory.outbox] == [CALLER, traceparent_of(REQUEST)]


def test_an_invalid_context_is_ignored(memory: Memory) -> None:
    raw = added(1, "a")
    memory.deliver(raw._replace(headers=(*raw.headers, ("traceparent", b"a\x00b"))))

    assert [one.traceparent for one in memory.outbox] == [traceparent_of(REQUEST)]


@pytest.mark.parametrize(("header", "kept"), [(CALLER.encode(), CALLER), (b"nonsense\xff", None), (None, None)])
async def test_the_callers_context_lasts_as_long_as_their_request(header: bytes | None, kept: str | None) -> None:
    seen = []

    async def app(*_: object) -> None:
        seen.append(caller.get())

    headers = [] if header is None else [(b"traceparent", header)]
    await TraceContext(app)({"type": "http", "headers": headers}, None, None)  # type: ignore[arg-type]  # nobody receives or sends

    assert seen == [kept]
    assert caller.get() is None


def test_without_a_collector_a_cause_is_handed_on_as_it_came() -> None:
    with Tracing("notifier").span("log", parent=CALLER, causes=[CALLER]) as own:
        assert own == CALLER


@pytest.mark.integration
async def test_spans_join_the_trace_of_the_request_and_batches_are_linked_to_it(database: str, authority: Authority) -> None:
    collected = InMemorySpanExporter()
    tracing = Tracing("notifier", collected)
    bench = await Bench.open(database, authority)
    shell: Shell[Notes] = Shell(
        WITH_ROWS, pool=bench.pool, clock=SetClock(NOW), authority_of=lambda _code: authority, tracing=tracing
    )
    serving = asyncio.create_task(shell.local.serve())
    await shell.local.apply(Input(REQUEST, "rivemont", Say("a")))
    raw = added(1, "b")
    await shell.take({("requests.v1", 0): [raw._replace(headers=(*raw.headers, ("traceparent", CALLER.encode())))]})
    serving.cancel()
    tracing.close()

    said, log = collected.get_finished_spans()
    assert (said.name, log.name) == ("Say", "log")
    assert said.context.trace_id == REQUEST.int
    assert [f"{link.context.trace_id:032x}" for link in log.links] == [CALLER.split("-")[1]]
    rows = await bench.pool.fetch("SELECT traceparent FROM notifier.outbox ORDER BY id")
    assert rows[0]["traceparent"] == f"00-{REQUEST.hex}-{said.context.span_id:016x}-01"
    assert rows[1]["traceparent"] == CALLER
    bench.pool.terminate()
