"""AES-256-GCM under a key per request; the keys sit wrapped in the schema `vault` (ADR 3).

A sealed value is base64url(nonce[12] || ciphertext || tag[16]); the request id is the associated data, so that a value
cannot be moved to another request. A wrapped key is the id of its key-encryption key (1 byte) || nonce || ciphertext.
Sources: NIST SP 800-38D (GCM), NIST SP 800-57 (key-encryption keys).
"""

import base64
import os
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)


class Unreadable(Exception):
    """A sealed value that its key does not open: altered, or from another request."""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """The key of one request, in clear: it stays in memory for as long as one batch."""

    secret: bytes

    def seal(self, request_id: UUID, content: BaseModel) -> str:
        """Return the content as a sealed value of this request."""
        nonce = os.urandom(12)
        clear = content.model_dump_json().encode()
        return base64.urlsafe_b64encode(nonce + AESGCM(self.secret).encrypt(nonce, clear, request_id.bytes)).decode()

    def open(self, request_id: UUID, sealed: str, model: type[Model]) -> Model:
        """Return the content of a sealed value.

        Raises:
            Unreadable: the value was altered, or sealed under another key or for another request.
        """
        try:
            raw = base64.urlsafe_b64decode(sealed)
            clear = AESGCM(self.secret).decrypt(raw[:12], raw[12:], request_id.bytes)
        except (InvalidTag, ValueError):
            raise Unreadable(f"request {request_id}: the sealed value does not open under its key") from None
        return model.model_validate_json(clear)


def opened(key: RequestKey | None, request_id: UUID, sealed: str | None, model: type[Model]) -> Model | None:
    """Return a sealed value for a page: None when there is none, its key was destroyed, or it is not one that we sealed."""
    if key is None or sealed is None:
        return None
    try:
        return key.open(request_id, sealed, model)
    except (Unreadable, ValueError):
        return None


class Vault:
    """Wraps and unwraps request keys under the installation's key-encryption keys, the first of which is the current one."""

    def __init__(self, keys: dict[int, bytes]) -> None:
        if not keys or any(len(key) != 32 or not 0 < number < 256 for number, key in keys.items()):
            raise ValueError("key-encryption keys: at least one, numbered 1 to 255, 32 bytes each")
        self._wrappers = {number: AESGCM(key) for number, key in keys.items()}
        self._current = next(iter(keys))
        self._secrets = tuple(keys.values())
        self._parking = tuple(AESGCM(secret) for secret in self.derive(b"aiguilleur parked records"))

    @classmethod
    def from_text(cls, text: str) -> "Vault":
        """Build from `1:BASE64[,2:BASE64]`, the setting AIGUILLEUR_KEYS; the first is the current one.

        Raises:
            ValueError: the text is not of that form. Its message never holds a key.
        """
        keys: dict[int, bytes] = {}
        for part in text.split(","):
            number, _, encoded = part.strip().partition(":")
            try:
                keys[int(number)] = base64.b64decode(encoded, validate=True)
            except ValueError:
                raise ValueError("key-encryption keys: expected NUMBER:BASE64[,NUMBER:BASE64]") from None
        return cls(keys)

    def derive(self, purpose: bytes) -> tuple[bytes, ...]:
        """Return a secret of 32 bytes for a purpose of its own from each key-encryption key, the current one first."""
        return tuple(HKDF(hashes.SHA256(), 32, None, purpose).derive(secret) for secret in self._secrets)

    def new_key(self, request_id: UUID) -> tuple[RequestKey, bytes]:
        """Return a new request key and its wrapped form, to be stored."""
        key = RequestKey(os.urandom(32))
        return key, self.wrap(request_id, key)

    def wrap(self, request_id: UUID, key: RequestKey) -> bytes:
        """Return the wrapped form of a request key, under the current key-encryption key."""
        nonce = os.urandom(12)
        return bytes([self._current]) + nonce + self._wrappers[self._current].encrypt(nonce, key.secret, request_id.bytes)

    def unwrap(self, request_id: UUID, wrapped: bytes) -> RequestKey:
        """Return the request key of a wrapped form.

        Raises:
            Unreadable: the key-encryption key is not among ours, or the wrapped form was altered.
        """
        wrapper = self._wrappers.get(wrapped[0])
        if wrapper is None:
            raise Unreadable(f"request {request_id}: its key is wrapped under key {wrapped[0]}, which is not configured")
        try:
            return RequestKey(wrapper.decrypt(wrapped[1:13], wrapped[13:], request_id.bytes))
        except InvalidTag:
            raise Unreadable(f"request {request_id}: its wrapped key was altered") from None

    def hide(self, clear: bytes) -> bytes:
        """Encrypt bytes of a parked record that may hold personal data in clear."""
        nonce = os.urandom(12)
        return nonce + self._parking[0].encrypt(nonce, clear, b"parked")

    def reveal(self, hidden: bytes) -> bytes:
        """Return what `hide` encrypted, under any configured key. Raises Unreadable: altered, or another key."""
        for parking in self._parking:
            try:
                return parking.decrypt(hidden[:12], hidden[12:], b"parked")
            except InvalidTag:
                continue
        raise Unreadable("the parked record does not open under any configured key-encryption key")
