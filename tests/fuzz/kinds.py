"""Records that nobody should write to Kafka, for every topic, each with what must become of it.

They are data: a kind is a name, a change to a good record, and the outcomes that are right. Every hostile value speaks of
Camille Exemple, who must then be found in no log line and in no reason.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from shared.events.envelope import MAX_VALUE_BYTES
from tests.fuzz.field_kinds import DEEP, field_kinds
from tests.fuzz.kind import CANARY, TAKEN, Kind
from tests.fuzz.records import Good, Headers

BROKER_TAKES: Final = 1_048_588
"""Kafka's `max.message.bytes`, if nobody says otherwise: of a batch, with everything around its record."""


def _kinds() -> Iterator[Kind]:
    yield from _values()
    yield from field_kinds()
    yield from _keys()
    yield from _envelopes()
    yield from _sequences()
    yield from _sizes()


def _values() -> Iterator[Kind]:
    """What is no JSON, or no JSON of ours."""
    broken: dict[str, bytes | None] = {
        "bad JSON": b'{"authority": "rivemont", "text": "Camille Exemple"',
        "only a bracket": b"{",
        "no object": b'["Camille Exemple"]',
        "a number": b"1",
        "null": b"null",
        "an empty object": b"{}",
        "zero bytes": b"",
        "NULs": b"\0" * 64,
        "not UTF-8": b'{"text": "Camille \xe9\xff"}',
        "UTF-16": '{"text": "Camille Exemple"}'.encode("utf-16"),
        "deep arrays": b"[" * DEEP,
        "deep objects": b'{"a":' * DEEP,
        "Java's serialisation": b"\xac\xed\x00\x05t\x00\x0fCamille Exemple",
        "Confluent's magic byte": b"\x00\x00\x00\x00\x01{}",
    }
    for name, value in broken.items():
        yield Kind(name, partial(Good.holding, value=value))
    yield Kind("a tombstone", partial(Good.holding, value=None))
    yield Kind("neither key nor value", lambda one: one.keyed(None).holding(None))
    yield Kind("a byte order mark", lambda one: one.holding(b"\xef\xbb\xbf" + (one.value or b"")))
    yield Kind("two documents", lambda one: one.holding(2 * (one.value or b"")))
    yield Kind("trailing words", lambda one: one.holding((one.value or b"") + b" Camille Exemple"))


def _keys() -> Iterator[Kind]:
    """Keys of records. On an open topic the key is the sender's affair."""
    keys: dict[str, bytes | None] = {
        "no key": None,
        "an empty key": b"",
        "a key that is no UUID": CANARY.encode(),
        "a key that is not UTF-8": b"\xff\xfe",
        "somebody else's key": b"01990b6e-4a10-7c3e-9d52-6f0c1b7a2e49",
        "a long key": b"k" * 60_000,
    }
    for name, key in keys.items():
        yield Kind(name, partial(Good.keyed, key=key), open=False)
        yield Kind(f"{name}, on an open topic", partial(Good.keyed, key=key), TAKEN, numbered=False)


def _envelopes() -> Iterator[Kind]:
    """Headers."""
    yield Kind("no headers", lambda one: replace(one, headers=()))
    for name in ("specversion", "type", "source", "id"):
        yield Kind(f"without ce_{name}", partial(Good.telling, name=f"ce_{name}", value=None))
        yield Kind(f"an empty ce_{name}", partial(Good.telling, name=f"ce_{name}", value=b""))
        yield Kind(f"ce_{name} that is not UTF-8", partial(Good.telling, name=f"ce_{name}", value=b"\xff\xfe"))
    yield Kind("CloudEvents 0.3", lambda one: one.telling("ce_specversion", b"0.3"))
    yield Kind("a later version", lambda one: one.telling("ce_type", dict(one.headers)["ce_type"].replace(b".v1", b".v2")))
    yield Kind("a type that does not exist", lambda one: one.telling("ce_type", CANARY.encode()))
    yield Kind("a type of another topic", lambda one: one.telling("ce_type", b"fr.aiguilleur.queue.entered.v1"))
    yield Kind("a line end in ce_id", lambda one: one.telling("ce_id", b"1\r\nCamille Exemple"))
    yield Kind("a long ce_source", lambda one: one.telling("ce_source", b"/" + b"s" * 501))
    yield Kind(
        "ce_type twice, the last is wrong",
        lambda one: one.adding((("ce_type", CANARY.encode()),)),
    )
    yield Kind("ce_id twice", lambda one: one.adding((("ce_id", b"2"),)), TAKEN)
    yield Kind("ce_time in words", lambda one: one.telling("ce_time", CANARY.encode()), TAKEN)
    yield Kind(
        "a traceparent in words",
        lambda one: one.adding((("traceparent", CANARY.encode()),)),
        TAKEN,
    )
    yield Kind("a header that is not UTF-8", lambda one: one.adding((("x", b"\xff\xfe\x00"),)), TAKEN)
    yield Kind("structured mode", _structured, open=False)
    yield Kind("structured mode, on an open topic", _structured, TAKEN, numbered=False)
    for name, value in _BAD_STRUCTURES.items():
        yield Kind(f"structured mode, {name}", partial(_structured_as, value=value))


_BAD_STRUCTURES: Final = {
    "no JSON": b'{"specversion": "1.0", "Camille Exemple',
    "an array": b'[{"specversion": "1.0"}]',
    "without data": b'{"specversion": "1.0", "type": "t", "source": "s", "id": "Camille Exemple"}',
    "data that is null": b'{"specversion": "1.0", "type": "fr.aiguilleur.command.issued.v1", "source": "s", "id": "1", '
    b'"data": null}',
    "an id that is an object": b'{"specversion": "1.0", "type": "t", "source": "s", "id": {"Camille Exemple": 1}, "data": {}}',
    "half a character": b'{"specversion": "1.0", "type": "\\ud800", "source": "\\ud800", "id": "\\ud800", "data": {}}',
    "very deep": b'{"specversion": "1.0", "data": ' + b"[" * DEEP,
    "deep enough": b'{"specversion": "1.0", "data": ' + b"[" * 900 + b"]" * 900 + b"}",
    "huge numbers": b'{"specversion": "1.0", "id": 1' + b"0" * 5_000 + b', "data": {}}',
    "NaN": b'{"specversion": NaN, "type": Infinity, "source": "s", "id": "1", "data": {"authority": NaN}}',
}


def _sequences() -> Iterator[Kind]:
    """Numbers of events. What has none, or one that is none, has no place in a life."""
    for text in ("0", "-1", "1.0", "1e0", "+1", " 1", "", "one", "\uff11", "0x1", "9" * 9_999, "\0", CANARY):
        name = f"sequence {text[:20]!r}"
        yield Kind(name, partial(Good.telling, name="ce_sequence", value=text.encode()), open=False)
    yield Kind("no sequence", lambda one: one.telling("ce_sequence", None), open=False)
    yield Kind("far ahead", lambda one: one.telling("ce_sequence", b"999999999"), open=False)
    yield Kind("sequence twice, the last far ahead", lambda one: one.adding((("ce_sequence", b"77"),)), open=False)
    yield Kind(
        "sequence in words, on an open topic", lambda one: one.telling("ce_sequence", CANARY.encode()), TAKEN, numbered=False
    )


def _sizes() -> Iterator[Kind]:
    """Up to what the broker takes."""
    yield Kind("a value over the limit", lambda one: one.holding(_padded(one, MAX_VALUE_BYTES + 1)))
    yield Kind("as large as the broker takes", lambda one: one.holding(CANARY.encode() + b"x" * (BROKER_TAKES - 40_000)))
    full = b"x" * MAX_VALUE_BYTES
    for name, headers in _BOMBS.items():
        yield Kind(name, partial(Good.adding, headers=headers), TAKEN, heavy=True)
        yield Kind(f"{name}, and no JSON", partial(_beside, value=b"{", headers=headers), heavy=True)
    for name, headers in _SMALL_BOMBS.items():
        yield Kind(f"{name}, beside a full value", partial(_beside, value=full, headers=headers), heavy=True)


_BOMBS: Final[dict[str, Headers]] = {
    "10,000 headers": tuple((f"h{number}", b"v") for number in range(10_000)),
    "a huge header": (("h", b"v" * 900_000),),
    "a huge name of a header": (("h" * 900_000, b""),),
    "100,000 headers without a name": (("", b""),) * 100_000,
}
_SMALL_BOMBS: Final[dict[str, Headers]] = {
    "70,000 headers without a name": (("", b""),) * 70_000,
    "24,800 short headers": (("h", b"v"),) * 24_800,
    "a header of 49,000 bytes": (("h", b"v" * 49_000),),
}


def _padded(one: Good, size: int) -> bytes:
    return (one.value or b"").ljust(size)


def _beside(one: Good, value: bytes, headers: Headers) -> Good:
    return one.holding(value).adding(headers)


def _structured(one: Good) -> Good:
    """A good event in structured mode."""
    told = {name.removeprefix("ce_"): value.decode() for name, value in one.headers if name.startswith("ce_")}
    return _structured_as(one, json.dumps(told | {"data": one.data}).encode())


def _structured_as(one: Good, value: bytes) -> Good:
    return replace(one, value=value, headers=(("content-type", b"application/cloudevents+json; charset=UTF-8"),))


KINDS: Final = tuple(_kinds())
