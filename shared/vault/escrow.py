"""Request keys in escrow: sealed to a public key whose private half is kept offline, beside the request in the log.

A PostgreSQL that is restored to an earlier time lacks the keys of the requests accepted since, and what is sealed under them
could never be read again. With escrow `aiguilleur reconcile --escrow-key` gives them back (docs/adr/0012-escrow.md).

An escrowed key is base64url(ephemeral public key[32] || nonce[12] || ciphertext[32] || tag[16]). The AES-256-GCM key is
HKDF-SHA256 of the X25519 secret, its salt both public keys; the request id is the associated data. One ephemeral key serves a
process for an hour. Sources: RFC 7748 (X25519), RFC 5869 (HKDF), NIST SP 800-38D (GCM: far less than 2^32 random nonces a key).
"""

import base64
import os
import time
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.vault.seal import RequestKey, Unreadable

EPOCH_SECONDS = 3600.0
_PURPOSE = b"aiguilleur escrow"


class Escrow:
    """Puts request keys into escrow: AIGUILLEUR_ESCROW_PUBLIC_KEY."""

    def __init__(self, public: X25519PublicKey) -> None:
        self._public = public
        self._began = 0.0
        self._ephemeral = b""
        self._wrapper: AESGCM | None = None

    @classmethod
    def from_text(cls, text: str) -> "Escrow":
        """Build from the setting: 32 bytes as base64. Raises ValueError, whose message never holds the key."""
        try:
            return cls(X25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True)))
        except ValueError:
            raise ValueError("escrow key: expected the public key that `aiguilleur keys escrow-new` prints") from None

    def wrap(self, request_id: UUID, key: RequestKey) -> str:
        """Return the key of a request, sealed to the public key."""
        nonce = os.urandom(12)
        wrapped = self._current().encrypt(nonce, key.secret, request_id.bytes)
        return base64.urlsafe_b64encode(self._ephemeral + nonce + wrapped).decode()

    def _current(self) -> AESGCM:
        """Return the cipher of this hour: the costly exchange is made once for many requests."""
        now = time.monotonic()
        if self._wrapper is None or now - self._began > EPOCH_SECONDS:
            ephemeral = X25519PrivateKey.generate()
            self._ephemeral, self._began = ephemeral.public_key().public_bytes_raw(), now
            self._wrapper = _wrapper(ephemeral.exchange(self._public), self._ephemeral, self._public)
        return self._wrapper


class EscrowKey:
    """The private half: opens what is in escrow."""

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private

    @classmethod
    def generate(cls) -> "EscrowKey":
        """Return a new one."""
        return cls(X25519PrivateKey.generate())

    @classmethod
    def from_text(cls, text: str) -> "EscrowKey":
        """Build from what `text` gave. Raises ValueError, whose message never holds the key."""
        try:
            return cls(X25519PrivateKey.from_private_bytes(base64.b64decode(text.strip(), validate=True)))
        except ValueError:
            raise ValueError("this is no escrow key: expected the file that `aiguilleur keys escrow-new` made") from None

    @property
    def text(self) -> str:
        """The private key, to be kept offline."""
        return base64.b64encode(self._private.private_bytes_raw()).decode()

    @property
    def public_text(self) -> str:
        """The public key, for the setting AIGUILLEUR_ESCROW_PUBLIC_KEY."""
        return base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    def unwrap(self, request_id: UUID, escrowed: str) -> RequestKey:
        """Return the key of a request. Raises Unreadable: it was put into escrow under another key, or altered."""
        try:
            raw = base64.urlsafe_b64decode(escrowed)
            secret = self._private.exchange(X25519PublicKey.from_public_bytes(raw[:32]))
            wrapper = _wrapper(secret, raw[:32], self._private.public_key())
            return RequestKey(wrapper.decrypt(raw[32:44], raw[44:], request_id.bytes))
        except (InvalidTag, ValueError):
            raise Unreadable(f"request {request_id}: its escrowed key does not open under this private key") from None


def _wrapper(secret: bytes, ephemeral: bytes, public: X25519PublicKey) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, ephemeral + public.public_bytes_raw(), _PURPOSE).derive(secret))
