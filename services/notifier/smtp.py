"""One kept connection to the mail server, and what its answers mean."""

import asyncio
from dataclasses import dataclass
from typing import Final, Literal, cast

import aiosmtplib

from services.notifier.compose import Mail
from services.notifier.settings import MailServer
from services.notifier.wire import Wire
from shared.delivery.points import reach

CONNECT_SECONDS: Final = 10
COMMAND_SECONDS: Final = 30
MAIL_SECONDS: Final = 60
_GOING_AWAY: Final = 421
_SEND_CONTENT: Final = 354
_GO_ON: Final = {"MAIL": {250}, "RCPT": {250, 251, 252}, "DATA": {_SEND_CONTENT}}
UNANSWERED: Final = "connection_lost"
"""Why a mail is tried again of which nobody knows whether it was taken."""
_FAULTS: Final[tuple[type[Exception], ...]] = (aiosmtplib.SMTPException, OSError, TimeoutError)


class ServerAway(Exception):
    """The mail server cannot be reached, or takes no mail of ours at all. It says nothing of the letter. `why` is a code."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


Cause = Literal["server", "letter", "fault"]
"""Who decided what became of a mail: the mail server, which was asked; the letter, which nobody can be sent; a fault of ours."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one mail. "retry": not taken for now. "failed": for good. `why` is a code."""

    kind: Literal["sent", "retry", "failed"]
    why: str = ""
    cause: Cause = "server"


def refusal_of(code: int) -> Answer:
    """Return what a refusal means: 4yz for now, 5yz for good (RFC 5321, 4.2.1)."""
    return Answer("failed", "refused") if 500 <= code < 600 else Answer("retry", "deferred")


class Line:
    """A connection that is kept between mails and opened again when it was lost. For one mail at a time."""

    def __init__(self, server: MailServer, *, name: str) -> None:
        self._server = server
        self._name = name
        self._wire: Wire | None = None
        self._pipelining = self._utf8 = False

    async def send(self, mail: Mail) -> Answer:
        """Hand one mail over.

        A connection that turns out to be lost before the content is under way is opened again, once: servers close
        connections that were idle. Lost later, nobody knows whether the mail was taken: it is tried again in a while.

        Raises:
            ServerAway: the mail was certainly not taken, and no other would be.
        """
        fresh = await self.connect()
        try:
            return await self._hand_over(mail)
        except ServerAway:
            self.drop()
            if fresh:
                raise
        await self.connect()
        try:
            return await self._hand_over(mail)
        except ServerAway:
            self.drop()
            raise

    @property
    def connected(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return self._wire is not None and self._wire.is_open

    async def connect(self) -> bool:
        """Open the connection if it is not; return whether it had to be opened. Raises ServerAway.

        aiosmtplib opens it, with TLS and password. The rest is said here: its `sendmail` takes twice as long, as it parses the
        addresses and scans the mail again, and it asks for one thing at a time.
        """
        if self.connected:
            return False
        self.drop()
        reach("letter.before_connect")
        server = self._server
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            local_hostname=self._name,
            use_tls=server.security == "smtps",
            start_tls=server.security == "smtp+starttls",
            timeout=COMMAND_SECONDS,
        )
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await smtp.connect()
                await smtp.ehlo()
        except _FAULTS as error:
            smtp.close()
            raise ServerAway(_name_of(error)) from error
        if smtp.transport is None:
            raise ServerAway("connection_lost")
        self._pipelining, self._utf8 = smtp.supports_extension("pipelining"), smtp.supports_extension("smtputf8")
        self._wire = Wire(cast(asyncio.Transport, smtp.transport))  # of a connection, whatever its loop's class
        return True

    def drop(self) -> None:
        """Forget the connection."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    async def close(self) -> None:
        """Say good-bye."""
        if self._wire is not None and self._wire.is_open:
            try:
                async with asyncio.timeout(2):
                    await self._wire.command(b"QUIT")
            except _FAULTS:
                pass
        self.drop()

    async def _hand_over(self, mail: Mail) -> Answer:
        """Run one mail's transaction. Raises ServerAway when the server was lost before the content was under way."""
        wire = self._wire
        if wire is None:
            raise ServerAway("connection_lost")
        if mail.recipient.utf8 and not self._utf8:
            return Answer("failed", "address_not_supported")
        try:
            async with asyncio.timeout(MAIL_SECONDS):
                if answer := await self._envelope(wire, mail):
                    return answer
        except _FAULTS as error:
            raise ServerAway(_name_of(error)) from error
        try:
            async with asyncio.timeout(MAIL_SECONDS):
                answered = wire.send(mail.content.replace(b"\r\n.", b"\r\n..") + b".\r\n", answers=1)  # RFC 5321, 4.5.2
                reach("letter.after_dot")
                [code] = await answered
        except _FAULTS:
            self.drop()
            return Answer("retry", UNANSWERED)
        return Answer("sent") if 200 <= code < 300 else await self._refused(code)

    async def _envelope(self, wire: Wire, mail: Mail) -> Answer | None:
        """Send sender, recipient and DATA, in one write if the server takes that; return what was answered instead of "go on"."""
        options = " SMTPUTF8" if mail.recipient.utf8 else ""
        sender = f"MAIL FROM:<{mail.sender}>{options}".encode("ascii")
        commands = (sender, f"RCPT TO:<{mail.recipient.address}>".encode(), b"DATA")
        codes: list[int] = []
        for together in [commands] if self._pipelining else [(command,) for command in commands]:
            codes += await wire.command(*together)
            if codes[-1] >= 400:
                break
        for code, (command, go_on) in zip(codes, _GO_ON.items(), strict=False):
            if code in go_on:
                continue
            if command == "MAIL" and code == _GOING_AWAY:
                raise ServerAway("going_away")
            if codes[-1] == _SEND_CONTENT:
                self.drop()  # it waits for a content all the same: there is none without a recipient
            answer = await self._refused(code)
            # Refused is our own address, or our right to send: not the letter's fault.
            return Answer("retry", "sender_refused") if command == "MAIL" else answer
        if len(codes) < len(commands):
            raise ServerAway("connection_lost")
        return None

    async def _refused(self, code: int) -> Answer:
        """Take back the mail under way, and tell what its refusal means."""
        if self._wire is None or code == _GOING_AWAY:
            self.drop()
        else:
            try:
                async with asyncio.timeout(COMMAND_SECONDS):
                    await self._wire.command(b"RSET")
            except _FAULTS:
                self.drop()
        return refusal_of(code)


def _name_of(error: BaseException) -> str:
    return type(error).__name__
