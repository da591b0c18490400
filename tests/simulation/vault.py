"""The vault's table of keys, without the cryptography: what is sealed names its request, and opens while the key is there."""

from uuid import UUID

from pydantic import BaseModel


class MemoryKey:
    """The key of one request. Sealing gives a text that holds nothing of the content."""

    __slots__ = ("_vault",)

    def __init__(self, vault: "MemoryVault") -> None:
        self._vault = vault

    def seal(self, request_id: UUID, _content: BaseModel) -> str:
        """Return a sealed value of this request."""
        return self._vault.seal(request_id)


class MemoryVault:
    """Stands for `shared.vault.seal.Vault`. `keys` is the table `vault.request_key`, written by statements of intake."""

    def __init__(self) -> None:
        self.keys: dict[UUID, bytes] = {}
        self._sealed = 0

    def derive(self, purpose: bytes) -> tuple[bytes, ...]:
        """Return a secret for a purpose."""
        return (purpose.ljust(32, b".")[:32],)

    def new_key(self, request_id: UUID) -> tuple[MemoryKey, bytes]:
        """Return a key and its wrapped form, which the caller stores."""
        return MemoryKey(self), b"wrapped " + request_id.bytes

    def seal(self, request_id: UUID) -> str:
        """Return a sealed value of a request."""
        self._sealed += 1
        return f"sealed-{request_id.hex}-{self._sealed}"

    @staticmethod
    def hide(clear: bytes) -> bytes:
        """Encrypt a parked record of an adapter."""
        return clear[::-1]

    @staticmethod
    def reveal(hidden: bytes) -> bytes:
        """Return what `hide` encrypted."""
        return hidden[::-1]
