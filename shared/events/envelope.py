"""The envelope: CloudEvents 1.0, Kafka binary mode (`ce_*` headers, JSON value), and structured mode on open topics.

Source: cloudevents/spec v1.0.2, kafka-protocol-binding.md; extensions `sequence` (extensions/sequence.md) and
`traceparent` (W3C Trace Context, sent as a plain header too).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from pydantic import BaseModel, ValidationError

from shared.events.topics import TOPICS
from shared.events.traceparent import read_traceparent

MAX_VALUE_BYTES = 900_000
MAX_NAME_LENGTH = 500
"""Of a CloudEvents source or id: together they are a key of a table, and an index takes 2,700 bytes."""
TYPES: dict[str, type[BaseModel]] = {cls.type_: cls for topic in TOPICS for cls in topic.types}  # type: ignore[attr-defined]  # every event class has it
_ALLOWED: dict[str, dict[str, type[BaseModel]]] = {
    topic.name: {cls.type_: cls for cls in topic.types}  # type: ignore[attr-defined]  # as above
    for topic in TOPICS
}


def _fields_of(cls: type[BaseModel]) -> Iterator[str]:
    for name, field in cls.model_fields.items():
        yield name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields_of(field.annotation)


_FIELDS = {name for cls in TYPES.values() for name in _fields_of(cls)}
_READ = ("ce_specversion", "ce_type", "ce_source", "ce_id", "ce_sequence", "traceparent")
_SEQUENCED = {topic.name: topic.sequenced for topic in TOPICS}


class Undecodable(Exception):
    """A record that is no event of its topic. The text says what is wrong and what to send instead, without any value."""


class Received(Struct, frozen=True):
    """A decoded record."""

    event: BaseModel
    source: str
    id: str
    sequence: int | None
    traceparent: str | None


def encode_headers(
    *, type: str, source: str, id: str, sequence: int, time: datetime, traceparent: str | None, seen: str | None = None
) -> list[tuple[str, bytes]]:
    """Return the Kafka headers of an event in binary mode. `seen`: what its writer had taken of the request by then."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_type", type.encode()),
        ("ce_source", source.encode()),
        ("ce_id", id.encode()),
        ("ce_time", time.isoformat().encode()),
        ("ce_sequence", str(sequence).encode()),
        ("content-type", b"application/json"),
    ]
    if seen is not None:
        headers.append(("ce_seen", seen.encode()))
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return headers


def encode_value(event: BaseModel) -> bytes:
    """Return the JSON of an event, as `model_dump_json` does, without its way through a string."""
    return event.__pydantic_serializer__.to_json(event)


def decode(topic: str, headers: Mapping[str, bytes], value: bytes | None) -> Received:
    """Return the event of a record.

    Raises:
        Undecodable: no or too much content, no CloudEvent, a type that the topic does not carry, data that does not fit.
    """
    if not value:
        raise Undecodable("the record has no value (an empty record or a tombstone); send the event as JSON")
    if len(value) > MAX_VALUE_BYTES:
        raise Undecodable(f"the value has {len(value)} bytes; at most {MAX_VALUE_BYTES} are taken")
    content_type = headers.get("content-type", b"")
    if content_type.startswith(b"application/cloudevents"):
        if _SEQUENCED[topic]:
            raise Undecodable("structured mode is taken on open topics only; send ce_* headers (binary mode)")
        attributes, value = _structured(value)
    else:
        attributes = _binary(headers)
    return _received(topic, attributes, value)


def _binary(headers: Mapping[str, bytes]) -> dict[str, str]:
    try:
        return {name: headers[name].decode() for name in _READ if name in headers}
    except UnicodeDecodeError:
        raise Undecodable("a ce_ header is not UTF-8") from None


def _structured(value: bytes) -> tuple[dict[str, str], bytes]:
    try:
        whole = json.loads(value)
    except (ValueError, RecursionError):
        raise Undecodable("the value is no JSON; the content type says application/cloudevents+json") from None
    if not isinstance(whole, dict) or "data" not in whole:
        raise Undecodable("a structured CloudEvent is a JSON object with specversion, type, source, id and data")
    attributes = {f"ce_{name}": str(told) for name, told in whole.items() if name != "data"}
    if "ce_traceparent" in attributes:
        attributes["traceparent"] = attributes["ce_traceparent"]
    return attributes, json.dumps(whole["data"]).encode()


def _received(topic: str, attributes: Mapping[str, str], value: bytes) -> Received:
    missing = [name for name in ("ce_specversion", "ce_type", "ce_source", "ce_id") if not attributes.get(name)]
    if missing:
        raise Undecodable(f"no CloudEvent: {', '.join(missing)} missing")
    if attributes["ce_specversion"] != "1.0":
        raise Undecodable("only CloudEvents 1.0 is understood (ce_specversion)")
    for name in ("ce_source", "ce_id"):
        if len(attributes[name]) > MAX_NAME_LENGTH or not attributes[name].isprintable():
            raise Undecodable(f"{name} must be printable and have at most {MAX_NAME_LENGTH} characters")
    allowed = _ALLOWED[topic]
    cls = allowed.get(attributes["ce_type"])
    if cls is None:
        raise Undecodable(f"the type is not one of this topic; allowed: {', '.join(sorted(allowed))}")
    try:
        event = cls.__pydantic_validator__.validate_json(value)  # model_validate_json, without its keyword handling
    except ValidationError as error:
        raise Undecodable(_faults(error)) from None
    return Received(
        event=event,
        source=attributes["ce_source"],
        id=attributes["ce_id"],
        sequence=read_sequence(attributes.get("ce_sequence")) if _SEQUENCED[topic] else None,
        traceparent=read_traceparent(attributes.get("traceparent")),
    )


def read_sequence(text: str | None) -> int:
    """Return the number of a `ce_sequence`. Raises Undecodable."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise Undecodable("ce_sequence must be a number from 1 up: the place of the event among those of its request")
    return int(text)


def _faults(error: ValidationError) -> str:
    """Say which fields are wrong and how, without repeating what they held."""
    told: list[dict[str, Any]] = [
        dict(fault) for fault in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    return "; ".join(f"{_field(fault['loc'])}: {fault['msg']}" for fault in told[:10])


def _field(path: Sequence[str | int]) -> str:
    """Name a field. What is no name of ours was made up by the sender and may say anything: it is not repeated."""
    return ".".join(str(part) if part in _FIELDS or isinstance(part, int) else "(another)" for part in path) or "data"
