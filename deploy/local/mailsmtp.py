"""The SMTP side of the mail sink, and the ways in which it can be told to misbehave."""

import asyncio
from typing import Annotated

from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import BaseModel, ConfigDict, Field

from deploy.local.mailstore import MailStore, message_id_of

_LARGEST_MAIL_BYTES = 32 * 1024 * 1024
_REFUSALS = {
    451: "451 4.3.0 The sink was told to refuse for now",
    452: "452 4.2.2 The sink was told that the mailbox is full",
    550: "550 5.1.1 The sink was told that this mailbox does not exist",
    554: "554 5.7.1 The sink was told to reject",
}


class Behaviour(BaseModel):
    """What the sink does with the next mails, until told otherwise. The defaults are good behaviour."""

    model_config = ConfigDict(extra="forbid")

    refuse: Annotated[int | None, Field(description="SMTP code: 451, 452, 550 or 554")] = None
    recipient: Annotated[str, Field(description="refuse only addresses that contain this")] = ""
    after_content: Annotated[bool, Field(description="refuse after the content, which says what mail it is")] = False
    delay_seconds: Annotated[float, Field(ge=0, le=300)] = 0
    drop_connection: Annotated[bool, Field(description="hang up after the content, without an answer")] = False
    store_before_dropping: Annotated[bool, Field(description="the client can't know that it was accepted")] = False

    def refusal(self, *addresses: str, after_content: bool) -> str | None:
        meant = after_content is self.after_content and any(self.recipient.lower() in one.lower() for one in addresses)
        if self.refuse is None or not meant:
            return None
        return _REFUSALS.get(self.refuse, f"{self.refuse} The sink was told to refuse")


class Handler:
    """aiosmtpd's hooks; their names and signatures are its."""

    def __init__(self, store: MailStore) -> None:
        self.store = store
        self.behaviour = Behaviour()
        self.struck = 0
        """How often somebody met anything but good behaviour."""
        self.refused: list[str] = []
        """The Message-IDs of what was refused for good after its content; refused at RCPT, nobody knows which mail it was."""

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Say that commands may come together (RFC 2920): they are read line by line, and each is answered in its turn."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if refusal := self.behaviour.refusal(address, after_content=False):
            self.struck += 1
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        behaviour = self.behaviour
        self.struck += behaviour.drop_connection or behaviour.delay_seconds > 0
        await asyncio.sleep(behaviour.delay_seconds)
        if behaviour.drop_connection and not behaviour.store_before_dropping:
            return _hang_up(server)
        content = envelope.original_content or b""
        if refusal := behaviour.refusal(*envelope.rcpt_tos, after_content=True):
            return self._refuse(refusal, content)
        summary = self.store.save(sender=envelope.mail_from or "", recipients=list(envelope.rcpt_tos), content=content)
        return _hang_up(server) if behaviour.drop_connection else f"250 OK kept as {summary.id}"

    def _refuse(self, refusal: str, content: bytes) -> str:
        self.struck += 1
        if refusal.startswith("5"):
            self.refused.append(message_id_of(content))
        return refusal


def _hang_up(server: SMTP) -> str:
    if isinstance(server.transport, asyncio.Transport):
        server.transport.abort()
    return "421 4.3.0 Closing"


async def serve_smtp(handler: Handler, *, port: int) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: SMTP(handler, hostname="puits.local", data_size_limit=_LARGEST_MAIL_BYTES, enable_SMTPUTF8=True, loop=loop),
        host="127.0.0.1",
        port=port,
    )
