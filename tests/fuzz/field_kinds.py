"""Records that are JSON, and whose fields are wrong: of any event, of commands (`commands.v1`), of what adapters hand over."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

from tests.fuzz.installation import NOON
from tests.fuzz.kind import CANARY, EITHER, PARKED, REFUSED, TAKEN, Kind
from tests.fuzz.records import Good

DEEP: Final = 100_000
_COMMAND: Final = ("action", "expected_version")
"""Fields that commands alone have."""
_SUBMISSION: Final = ("channel", "text")
"""Fields that only what an adapter hands over has."""


def field_kinds() -> Iterator[Kind]:
    """Wrong fields, by the events that have them."""
    yield from _authorities()
    yield from _ids()
    yield from _instants()
    yield from _versions_of_a_life()
    yield from _versions_seen()
    yield from _actions()
    yield from _services()
    yield from _submissions()
    yield from _unknown_fields()


def _authorities() -> Iterator[Kind]:
    wrong: dict[str, Any] = {
        "a number for a code": {"authority": 7},
        "an object for a code": {"authority": {CANARY: CANARY}},
        "a long code": {"authority": "r" * 65},
        "a code in capitals": {"authority": "RIVEMONT"},
        "NUL in a code": {"authority": "rive\0mont"},
        "half a character": {"authority": "\ud800"},
        "nobody's authority": {"authority": "nulle-part"},
    }
    for name, changes in wrong.items():
        yield Kind(name, partial(Good.saying, **changes))
    yield Kind("a code with a line end", partial(Good.saying, authority="rivemont\n"), EITHER)
    yield Kind("without its authority", lambda one: one.holding(json.dumps(_without(one.data, "authority")).encode()))


def _ids() -> Iterator[Kind]:
    """Of the request. In an open topic it may be spelt as its sender likes, and the router must know it."""
    wrong: dict[str, Any] = {
        "a key that is no UUID": CANARY,
        "a short UUID": "01990b6e-4a10-7c3e-9d52-6f0c1b7a2e4",
        "NUL in a UUID": "01990b6e-4a10-7c3e-9d52-6f0c1b7a2e4\0",
        "a number for a UUID": 10**38,
        "null for a UUID": None,
        "many UUIDs": ["01990b6e-4a10-7c3e-9d52-6f0c1b7a2e41"],
    }
    for name, told in wrong.items():
        changed = partial(Good.saying, request_id=told)
        yield Kind(f"{name} in the value", changed, fields=("request_id",), because="request_id: ")
    strange = {"the UUID of nobody": _NOBODY, "the highest UUID": "f" * 32}
    for name, told in strange.items():
        yield Kind(name, partial(Good.saying, request_id=told), fields=_COMMAND, because="does not know this request")
    yield Kind("a UUID in capitals", lambda one: one.saying(request_id=str(one.request_id).upper()), TAKEN, fields=_COMMAND)
    yield Kind("a URN for a UUID", lambda one: one.saying(request_id=f"urn:uuid:{one.request_id}"), TAKEN, fields=_COMMAND)


_NOBODY: Final = "00000000-0000-0000-0000-000000000000"


def _instants() -> Iterator[Kind]:
    """Of the fact. A command may bear any: nothing is reckoned from it, what follows bears the instant of the router's clock."""
    wrong = {
        "an instant in words": f'"{CANARY}"',
        "an instant without a zone": '"2026-03-03T08:00:00"',
        "the year 10000": '"10000-01-01T00:00:00Z"',
        "the 30th of February": '"2026-02-30T08:00:00Z"',
        "an instant that is not a number": "NaN",
        "an endless instant": "Infinity",
        "an instant after all others": "1e300",
        "null for an instant": "null",
        "many instants": '["2026-03-03T08:00:00Z"]',
    }
    for name, told in wrong.items():
        yield Kind(name, partial(_with_raw, name="at", told=told), fields=("at",), because="at: ")
    yield Kind("a huge number", partial(_with_raw, name="at", told="1" + "0" * 5_000), fields=("at",))
    far = {
        "the year 9999": "9999-12-31T23:59:59Z",
        "past the year 9999 in UTC": "9999-12-31T23:59:59-14:00",
        "before the year 1 in UTC": "0001-01-01T00:00:00+14:00",
    }
    near = {f"from {name}": (NOON + timedelta(days=days)).isoformat() for name, days in (("tomorrow", 1), ("next year", 365))}
    for name, at in (far | near).items():
        yield Kind(name, partial(Good.saying, at=at), TAKEN if name in near else EITHER, open=False, fields=("at",))
        yield Kind(f"{name}, of a command", partial(Good.saying, at=at), TAKEN, fields=_COMMAND)


def _versions_of_a_life() -> Iterator[Kind]:
    """As only the router writes them: a fault of ours must not hurt another service either."""
    for name, version, outcomes in (("below 0", -1, PARKED), ("of 64 bits", 2**63, EITHER), ("of 100 bits", 10**30, EITHER)):
        yield Kind(f"a version {name}", partial(Good.saying, version=version), outcomes, fields=("version", "status"))


def _versions_seen() -> Iterator[Kind]:
    """The version that business software was looking at. Here the router's is 2."""
    for name, told in {
        "below 0": "-1",
        "0": "0",
        "minus 0": "-0",
        "of 32 bits": str(2**31),
        "of 64 bits": str(2**63),
        "of 100 bits": str(10**30),
        "and a half": "2.5",
        "that is no number": "NaN",
        "without end": "Infinity",
        "past all numbers": "1e400",
        "in words": f'"{CANARY}"',
        "in many digits": f'"{"9" * 5_000}"',
        "in digits of another script": '"\u0662"',
        "in a list": "[2]",
        "in an object": "{}",
    }.items():
        because = "expected_version: "
        yield Kind(f"seen: a version {name}", _seeing(told), fields=_COMMAND, because=because)
    yield Kind("seen: a version of 5,000 digits", _seeing("1" + "0" * 5_000), fields=_COMMAND)
    for name, told in {"nothing": "null", "in quotes": '"2"', "with a point": "2.0"}.items():
        yield Kind(f"seen: {name}", _seeing(told), TAKEN, fields=_COMMAND)
    for name, told in {"the one before": "1", "true": "true", "the next": "3", "the highest": str(2**31 - 1)}.items():
        yield Kind(f"seen: {name}", _seeing(told), REFUSED, fields=_COMMAND, because="changed_meanwhile")


def _seeing(told: str) -> Any:  # Any: what makes a record of a kind
    return partial(_with_raw, name="expected_version", told=told)


def _actions() -> Iterator[Kind]:
    wrong: dict[str, Any] = {
        "that does not exist": CANARY,
        "of a usager": "erase",
        "in capitals": "TAKE_CHARGE",
        "with a line end": "resolve\n",
        "without a name": "",
        "that is null": None,
        "that is a number": 1,
        "with NUL": "resolve\0",
        "of a megabyte": "resolve" * 120_000,
        "of many": ["resolve", "resolve"],
        "that is half a character": "\ud800",
    }
    for name, action in wrong.items():
        because = "" if "half" in name else "action: "
        yield Kind(f"an action {name}", partial(Good.saying, action=action), fields=_COMMAND, because=because)
    for action in ("ask", "answer"):
        yield Kind(f"{action} without a text", partial(Good.saying, action=action), REFUSED, fields=_COMMAND, because="no_text")


def _services() -> Iterator[Kind]:
    """To which a command transfers. The request is at `voirie`."""
    wrong: dict[str, Any] = {
        "in words": CANARY,
        "without a name": "",
        "in capitals": "VOIRIE",
        "of 65 letters": "v" * 65,
        "of a megabyte": "v" * 800_000,
        "with NUL": "voi\0rie",
        "with a line end": "voirie\n",
        "elsewhere": "../saint-aubrin/technique",
        "that is a number": 7,
        "that is an object": {CANARY: CANARY},
    }
    for name, service in wrong.items():
        yield Kind(f"to a service {name}", _transfer(service), fields=_COMMAND, because="service: ")
    yield Kind("to half a character", _transfer("\ud800"), fields=_COMMAND)
    for name, service, why in (
        ("a service of nobody's", "nulle-part", "unknown_service"),
        ("a service of another town", "technique", "unknown_service"),
        ("a service of 64 letters", "v" * 64, "unknown_service"),
        ("no service", None, "unknown_service"),
        ("where it is", "voirie", "already_there"),
    ):
        yield Kind(f"to {name}", _transfer(service), REFUSED, fields=_COMMAND, because=why)
    yield Kind("to another service", _transfer("proprete"), TAKEN, fields=_COMMAND)
    for name, service in (("nobody's", "nulle-part"), ("another town's", "technique")):
        yield Kind(f"taken in charge, and {name} service", partial(Good.saying, service=service), TAKEN, fields=_COMMAND)


def _transfer(service: Any) -> Any:  # Any: JSON; what makes a record of a kind
    return partial(Good.saying, action="transfer", service=service)


def _submissions() -> Iterator[Kind]:
    """What an adapter says of a request. A service that there is not is none: such a request goes to the front desk."""
    wrong: Mapping[str, Mapping[str, Any]] = {
        "channel": {"that does not exist": "pigeon", "that is null": None},
        "service": {"in words": CANARY, "of 65 letters": "v" * 65, "with NUL": "voi\0rie", "that is a number": 7},
        "category": {"that does not exist": "nulle-part", "of a megabyte": "c" * 800_000},
        "language": {"in three letters": "fra", "with a line end": "fr\n", "that is a number": 7},
        "text": {"of nothing": "\0\r\n ", "that is too long": "x" * 20_001},
    }
    for field, values in wrong.items():
        for name, told in values.items():
            changed = partial(Good.saying, **{field: told})
            yield Kind(f"handed over: a {field} {name}", changed, fields=_SUBMISSION, because=field)
    for name, service in (("nobody's", "nulle-part"), ("another town's", "technique"), ("no", "")):
        changed = partial(Good.saying, service=service)
        yield Kind(f"handed over to {name} service", changed, TAKEN, fields=_SUBMISSION)


def _unknown_fields() -> Iterator[Kind]:
    deep = b'"other": ' + b"[" * DEEP + b"]" * DEEP + b', "authority"'
    yield Kind("deep in a field that nobody knows", partial(_before, told=deep), EITHER)
    twice = b'"authority": "nulle-part", "authority"'
    yield Kind("a field twice", partial(_before, told=twice), EITHER)
    other = f'"{CANARY}": "{CANARY}", "authority"'.encode()
    yield Kind("a field of nobody's", partial(_before, told=other), TAKEN, open=False)
    yield Kind("a field of nobody's, openly", partial(_before, told=other), numbered=False)


def _before(one: Good, *, told: bytes) -> Good:
    """Say more where the authority is said."""
    return one.holding((one.value or b"").replace(b'"authority"', told, 1))


def _with_raw(one: Good, *, name: str, told: str) -> Good:
    """Say something else of a field, in words of JSON or almost: Python writes neither all that is JSON nor all that is not."""
    assert name in one.data
    value = re.sub(rf'("{name}": )("[^"]*"|[\d.]+|null)', lambda found: found[1] + told, (one.value or b"").decode(), count=1)
    return one.holding(value.encode())


def _without(data: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != name}
