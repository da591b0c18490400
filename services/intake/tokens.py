"""The token that opens a usager's private page. It is worked out from the request's id, so that it is kept nowhere in clear."""

import base64
import hashlib
import hmac
import re
from typing import Final
from uuid import UUID

from shared.vault.seal import Vault

_TOKEN_BYTES: Final = 16
_FORM: Final = re.compile(r"[A-Za-z0-9_-]{22}")


class Tokens:
    """Makes tokens, and fingerprints of what was sent. Both under keys derived from the installation's."""

    def __init__(self, vault: Vault) -> None:
        self._token_keys = vault.derive(b"aiguilleur tracking tokens")
        self._print_key = vault.derive(b"aiguilleur fingerprints")[0]

    def token(self, request_id: UUID) -> str:
        """Return the token of a request: 22 characters of base64url that nobody without the key can foretell."""
        return self._token(self._token_keys[0], request_id)

    def token_of(self, request_id: UUID, digest: str | None) -> str | None:
        """Return the token that has this digest, also when it was made under an earlier key."""
        tokens = (self._token(key, request_id) for key in self._token_keys)
        return next((token for token in tokens if token_digest(token) == digest), None)

    def fingerprint(self, content: bytes) -> bytes:
        """Return what tells whether two contents are the same, and tells nothing of a content to who has not the key."""
        return hmac.digest(self._print_key, content, "sha256")

    @staticmethod
    def _token(key: bytes, request_id: UUID) -> str:
        return base64.urlsafe_b64encode(hmac.digest(key, request_id.bytes, "sha256")[:_TOKEN_BYTES]).rstrip(b"=").decode()


def token_digest(token: str) -> str:
    """Return the digest by which a request is found: what is stored leads nobody to the page."""
    return hashlib.sha256(token.encode()).hexdigest()


def looks_like_token(text: str) -> bool:
    """Whether a text has the form of a token."""
    return _FORM.fullmatch(text) is not None
