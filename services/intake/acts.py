"""What a usager does on the tracking page, from the click to the commit."""

from typing import Any
from uuid import UUID

from services.intake.domain.command import AddInformation, AskReopening, Withdraw
from services.intake.domain.refusal import Refused
from services.intake.domain.request import TrackedRequest
from services.intake.store import find_key
from services.intake.tokens import Tokens
from shared.app import App
from shared.delivery.values import Input, Ticket
from shared.events.content import UsagerMessage
from shared.vault.seal import Vault


class Acts:
    """The acts of usagers on requests that they opened with their token.

    Each is done once per `ticket` (the hidden field of the form). All raise Refused (the state does not allow it),
    DigestMismatch (the ticket was used for another text) and Unavailable.
    """

    def __init__(self, app: App[TrackedRequest], vault: Vault, tokens: Tokens) -> None:
        self._app = app
        self._vault = vault
        self._tokens = tokens

    async def add_information(self, request_id: UUID, authority: str, text: str, *, ticket: str) -> None:
        """Add a message."""
        sealed = await self._seal(request_id, text)
        await self._apply(request_id, authority, AddInformation(sealed), ticket=ticket, content=f"add {text}")

    async def ask_reopening(self, request_id: UUID, authority: str, text: str, *, ticket: str) -> None:
        """Say that it is not settled, and why."""
        sealed = await self._seal(request_id, text)
        await self._apply(request_id, authority, AskReopening(sealed), ticket=ticket, content=f"reopen {text}")

    async def withdraw(self, request_id: UUID, authority: str, *, ticket: str) -> None:
        """Want no answer any more."""
        await self._apply(request_id, authority, Withdraw(), ticket=ticket, content="withdraw")

    async def _seal(self, request_id: UUID, text: str) -> str:
        key = await find_key(self._app.pool, self._vault, request_id)
        if key is None:
            raise Refused("erased")
        return key.seal(request_id, UsagerMessage(text=text))

    async def _apply(self, request_id: UUID, authority: str, command: Any, *, ticket: str, content: str) -> None:
        """Any: commands are structs of several classes."""
        once = Ticket(f"page/{request_id}", ticket, self._tokens.fingerprint(content.encode()))
        await self._app.shell.local.apply(Input(request_id, authority, command, ticket=once))
