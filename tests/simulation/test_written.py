"""What readers decode is held against what was written."""

import pytest

from shared.delivery.values import Input, Outgoing, RawRecord
from shared.events.handling import LifeEvent
from tests.simulation.run import run
from tests.simulation.settings import Settings
from tests.simulation.written import Written


def published() -> tuple[Written, RawRecord, LifeEvent]:
    """Return an event of the router as it was written down, and its record."""
    world = run(Settings(3, requests=5, strength=0), check=False).world
    event = next(one.event for _, one in world.decoded.values() if isinstance(one, Input) and isinstance(one.event, LifeEvent))
    written = Written()
    value = written.encode(event)
    return written, RawRecord("handling.v1", 0, 0, str(event.request_id).encode(), (), value), event


def outgoing(raw: RawRecord, event: LifeEvent) -> Outgoing:
    return Outgoing(event.request_id, raw.topic, raw.key, 1, event.type_, event.at, None, raw.value)


def test_an_event_is_handed_to_its_readers_as_it_was_written() -> None:
    written, raw, event = published()
    read = written.input_of(raw, outgoing(raw, event))
    assert read == Input(event.request_id, event.authority, event, fact=True, topic=raw.topic, sequence=1, raw=raw)


def test_bytes_that_are_not_those_written_are_left_to_the_readers() -> None:
    written, raw, event = published()
    assert raw.value is not None
    spoilt = raw._replace(value=raw.value[:-1])
    assert written.input_of(spoilt, outgoing(raw, event)) is None


def test_an_event_that_reads_otherwise_is_noticed() -> None:
    written, raw, event = published()
    other = event.model_copy(update={"authority": "ailleurs"})
    with pytest.raises(AssertionError, match="reads otherwise"):
        written.compare(raw, Input(event.request_id, event.authority, other))


def test_a_town_reads_a_sample_of_its_events_back() -> None:
    world = run(Settings(3, requests=20), check=False).world
    assert world.written_down.read_back > 10
