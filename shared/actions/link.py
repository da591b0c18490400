"""Signed action links: what a link of a mail lets its reader do, in a token that says nothing to others.

A token is base64url(AES-256-SIV(content)), without padding. SIV (RFC 5297) authenticates with 128 bits and needs no
nonce: the same link always gives the same token, so that a mail that is built again is the same mail, and a link counts as
used whichever copy of it was followed. The content is padded, so that the length tells little of the agent's address.
"""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias, get_args
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.events.handling import Action

LinkAction: TypeAlias = Action | Literal["view"]
LIFETIME: Final = timedelta(days=7)
MAX_TOKEN_CHARACTERS: Final = 600

_ACTIONS: Final[tuple[LinkAction, ...]] = ("view", "take_charge", "ask", "answer", "transfer", "resolve")
"""By their number in a token: append, never reorder."""
_FORMAT: Final = 1
_HEAD: Final = struct.Struct(">B16sBIQBB")
_BLOCK: Final = 48

assert set(_ACTIONS) == {"view", *get_args(Action)}, "a new action needs a number in shared/actions/link.py"


class InvalidLink(Exception):
    """No token of ours, or altered on its way. Says nothing more: whoever guesses learns nothing."""


class ExpiredLink(Exception):
    """A token of ours, past its time. `link` is what it was for."""

    def __init__(self, link: "Link") -> None:
        super().__init__(f"the link of request {link.request_id} ran out on {link.expires_at:%Y-%m-%d}")
        self.link = link


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Lets `agent` (the mailbox that got it) do `action` on the request as it is at `version`, until `expires_at`.

    `expires_at` counts in whole seconds, rounded down. "view" only shows, at any version.
    """

    request_id: UUID
    authority: str
    action: LinkAction
    version: int
    agent: str
    expires_at: datetime


class Links:
    """Makes and reads tokens under one secret."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise ValueError("the secret of the links has 32 bytes (openssl rand -base64 32)")
        self._cipher = AESSIV(HKDF(hashes.SHA256(), 64, None, b"aiguilleur action links").derive(secret))

    @classmethod
    def from_text(cls, text: str) -> "Links":
        """Build from base64, the setting AIGUILLEUR_LINK_KEY.

        Raises:
            ValueError: the text is no base64 of 32 bytes. Its message never holds the secret.
        """
        try:
            secret = base64.b64decode(text.strip(), validate=True)
        except ValueError:
            raise ValueError("the secret of the links is not base64 (openssl rand -base64 32)") from None
        return cls(secret)

    def mint(self, link: Link) -> str:
        """Return the token of a link, fit for a URL; the same token for the same link.

        Raises:
            ValueError: the authority or the agent is empty or too long, the version is negative, the time has no zone.
        """
        authority, agent = link.authority.encode(), link.agent.encode()
        if not 0 < len(authority) <= 64 or not 0 < len(agent) <= 254:
            raise ValueError("a link needs an authority of 1 to 64 bytes and an agent of 1 to 254 bytes")
        if not 0 <= link.version < 2**32:
            raise ValueError("a link's version is a number from 0 up")
        if link.expires_at.tzinfo is None:
            raise ValueError("a link's end needs a time zone")
        end, number = int(link.expires_at.timestamp()), _ACTIONS.index(link.action)
        head = _HEAD.pack(_FORMAT, link.request_id.bytes, number, link.version, end, len(authority), len(agent))
        clear = head + authority + agent
        clear += bytes(-len(clear) % _BLOCK)
        return base64.urlsafe_b64encode(self._cipher.encrypt(clear, None)).decode().rstrip("=")

    def read(self, token: str, now: datetime) -> Link:
        """Return the link of a token.

        Raises:
            InvalidLink: it is none of ours, or was altered.
            ExpiredLink: it is, and its time is over.
        """
        link = _unpack(self._open(token))
        if now >= link.expires_at:
            raise ExpiredLink(link)
        return link

    def _open(self, token: str) -> bytes:
        if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
            raise InvalidLink
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            raise InvalidLink from None
        # Only the one spelling that `mint` gives: the decoder passes over foreign characters and unused bits.
        if base64.urlsafe_b64encode(sealed).decode().rstrip("=") != token or len(sealed) < 16 + _HEAD.size:
            raise InvalidLink
        try:
            return self._cipher.decrypt(sealed, None)
        except InvalidTag:
            raise InvalidLink from None


def _unpack(clear: bytes) -> Link:
    form, request_id, number, version, end, authority_size, agent_size = _HEAD.unpack_from(clear)
    if form != _FORMAT or number >= len(_ACTIONS):
        raise InvalidLink
    authority_end = _HEAD.size + authority_size
    return Link(
        request_id=UUID(bytes=request_id),
        authority=clear[_HEAD.size : authority_end].decode(),
        action=_ACTIONS[number],
        version=version,
        agent=clear[authority_end : authority_end + agent_size].decode(),
        expires_at=datetime.fromtimestamp(end, UTC),
    )
