"""A mail address that can be written into an SMTP command and a header without anything else coming along."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import idna

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+"
_DOT_ATOM: Final = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_LOCAL: Final = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f]{1,64}")
_LONGEST: Final = 254


class BadAddress(Exception):
    """No mail can go there."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address as SMTP takes it. `utf8`: only a server with SMTPUTF8 (RFC 6531) does."""

    address: str
    domain: str
    utf8: bool


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Mailbox:
    """Return the mailbox of an address; its domain in the ASCII form (IDNA 2008, UTS 46).

    Raises:
        BadAddress: it has no single @, a domain that cannot be, or characters that end a header or a command.
    """
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or not local.isprintable() or "." not in domain or "=?" in local:
        raise BadAddress  # "=?": readers take it for an encoded word, and may decode a line end out of it (RFC 2047)
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode() if not domain.isascii() else _checked(domain)
    except idna.IDNAError:
        raise BadAddress from None
    if not _DOT_ATOM.fullmatch(local):
        local = f'"{local}"'
    if len(local.encode()) + 1 + len(ascii_domain) > _LONGEST:
        raise BadAddress
    return Mailbox(f"{local}@{ascii_domain}", ascii_domain, not local.isascii())


def _checked(domain: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_-]{1,63})+", domain):
        raise BadAddress
    return domain.lower()
