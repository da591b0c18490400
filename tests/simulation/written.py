"""Events as their writers made them, beside their bytes: what is read is what was written, and a sample shows it."""

from typing import Final

from pydantic import BaseModel

from shared.delivery.values import Input, Outgoing, RawRecord
from shared.events.base import Event
from shared.events.envelope import encode_value

SAMPLED: Final = 8
"""Of so many records one is decoded as the services do it, and compared with what was written."""


class Written:
    """The events of a town by their bytes. Stands for `encode_value` of shared/delivery/core.py while a town runs."""

    def __init__(self) -> None:
        self._events: dict[int, tuple[bytes, BaseModel]] = {}
        self._read = 0
        self.read_back = 0

    def encode(self, event: BaseModel) -> bytes:
        """Return the JSON of an event, and keep the event."""
        value = encode_value(event)
        self._events[id(value)] = value, event
        return value

    def input_of(self, raw: RawRecord, one: Outgoing) -> Input | None:
        """Return the input that a record of the log is for its readers; None when they are to decode it themselves."""
        kept = self._events.get(id(raw.value))
        if kept is None or kept[0] is not raw.value:
            return None  # spoilt
        self._read += 1
        if self._read % SAMPLED == 0:
            return None
        return self._input(raw, one, kept[1])

    def compare(self, raw: RawRecord, read: object) -> None:
        """Hold a record that its readers decoded against what was written."""
        kept = self._events.get(id(raw.value))
        if kept is None or kept[0] is not raw.value or not isinstance(read, Input) or read.fault is not None:
            return
        self.read_back += 1
        assert read.event == kept[1], f"{raw.topic} {raw.key!r} reads otherwise than it was written"

    @staticmethod
    def _input(raw: RawRecord, one: Outgoing, event: BaseModel) -> Input:
        assert isinstance(event, Event), "what is published is an event of ours"
        return Input(
            request_id=event.request_id,
            authority=event.authority,
            event=event,
            fact=True,
            topic=raw.topic,
            sequence=one.sequence,
            traceparent=one.traceparent,
            raw=raw,
        )
