"""What settings may look like. A value of another form stops the start; no message repeats a value: it may hold a password."""

import re
from collections.abc import Callable
from typing import Annotated, Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, SecretStr

from shared.actions.link import Links
from shared.vault.escrow import Escrow
from shared.vault.seal import Vault

_HOST: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_PLACE: Final = re.compile(rf"{_HOST}(?::(\d{{1,5}}))?", re.ASCII)
_PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?", re.ASCII)


def read_url(text: str, expected: str) -> SplitResult:
    """Return the parts of an address; host and port are still to be judged (`is_place`). Raises ValueError(expected)."""
    try:
        parts = urlsplit(text)
    except ValueError:  # brackets that hold no IPv6 address
        raise ValueError(expected) from None
    if not text.isprintable() or " " in text:
        raise ValueError(expected)
    return parts


def is_place(text: str, *, with_port: bool = False) -> bool:
    """Tell whether this is host:port, or a host alone where a port is not asked for."""
    found = _PLACE.fullmatch(text)
    if found is None or (with_port and found[1] is None):
        return False
    return found[1] is None or 1 <= int(found[1]) <= 65535


def _port(value: int) -> int:
    if not 1 <= value <= 65535:
        raise ValueError("expected a port: 1 to 65535")
    return value


def _kafka(value: str) -> str:
    if not all(is_place(one, with_port=True) for one in value.split(",")):
        raise ValueError("expected host:port[,host:port], ports from 1 to 65535")
    return value


def _web_address(value: str) -> str:
    expected = "expected http://host[:port] or https://host[:port], with at most a plain path: no user, '..', '?' or '#'"
    parts = read_url(value, expected)
    plain = parts.scheme in ("http", "https") and is_place(parts.netloc) and _PATH.fullmatch(parts.path)
    if not plain or "?" in value or "#" in value:
        raise ValueError(expected)
    return value


def _secret(check: Callable[[str], object]) -> AfterValidator:
    def checked(value: SecretStr) -> SecretStr:
        check(value.get_secret_value())
        return value

    return AfterValidator(checked)


def _database(value: str) -> None:
    expected = "expected postgresql://user:password@host[:port]/database (other signs in the password as %XX)"
    parts = read_url(value, expected)
    places = parts.netloc.rpartition("@")[2].split(",")  # several: PostgreSQL's clients take the first that answers
    complete = parts.username and parts.password and re.fullmatch(r"/[^/]+", parts.path) and not parts.fragment
    if parts.scheme != "postgresql" or not complete or not all(map(is_place, places)):
        raise ValueError(expected)


def _keys(value: str) -> None:
    Vault.from_text(value)
    numbers = [int(part.strip().partition(":")[0]) for part in value.split(",")]
    if len(set(numbers)) < len(numbers):
        raise ValueError("key-encryption keys: each number once")


def _escrow(value: str) -> str:
    Escrow.from_text(value)
    return value


Port: TypeAlias = Annotated[int, AfterValidator(_port)]
KafkaAddress: TypeAlias = Annotated[str, AfterValidator(_kafka)]
WebAddress: TypeAlias = Annotated[str, AfterValidator(_web_address)]
DatabaseAddress: TypeAlias = Annotated[SecretStr, _secret(_database)]
Keys: TypeAlias = Annotated[SecretStr, _secret(_keys)]
LinkKey: TypeAlias = Annotated[SecretStr, _secret(Links.from_text)]
EscrowPublicKey: TypeAlias = Annotated[str, AfterValidator(_escrow)]
