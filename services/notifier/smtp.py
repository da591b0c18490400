"""One kept connection to the mail server, and what its answers mean."""

import asyncio
from dataclasses import dataclass
from typing import Final, Literal

import aiosmtplib

from services.notifier.compose import Mail
from services.notifier.settings import MailServer

CONNECT_SECONDS: Final = 10
COMMAND_SECONDS: Final = 30
MAIL_SECONDS: Final = 60
_GOING_AWAY: Final = 421
_FAULTS: Final[tuple[type[Exception], ...]] = (aiosmtplib.SMTPException, OSError, TimeoutError)


class ServerAway(Exception):
    """The mail server cannot be reached, or takes no mail of ours at all. It says nothing of the letter. `why` is a code."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said of one mail. "retry": for now. "failed": for good. `why` is a code."""

    kind: Literal["sent", "retry", "failed"]
    why: str = ""


class Line:
    """A connection that is kept between mails and opened again when it was lost. For one mail at a time."""

    def __init__(self, server: MailServer, *, name: str) -> None:
        self._server = server
        self._name = name
        self._smtp: aiosmtplib.SMTP | None = None

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

    async def connect(self) -> bool:
        """Open the connection if it is not; return whether it had to be opened. Raises ServerAway."""
        if self._smtp is not None and self._smtp.is_connected:
            return False
        self.drop()
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
        self._smtp = smtp
        return True

    def drop(self) -> None:
        """Forget the connection."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def close(self) -> None:
        """Say good-bye."""
        if self._smtp is not None and self._smtp.is_connected:
            try:
                async with asyncio.timeout(2):
                    await self._smtp.quit()
            except _FAULTS:
                pass
        self.drop()

    async def _hand_over(self, mail: Mail) -> Answer:
        """Run one mail's transaction. Raises ServerAway when the server was lost before the content."""
        smtp = self._smtp
        assert smtp is not None, "connect comes first"
        encoding = "utf-8" if mail.recipient.utf8 else "ascii"
        if mail.recipient.utf8 and not smtp.supports_extension("smtputf8"):
            return Answer("failed", "address_not_supported")
        try:
            async with asyncio.timeout(MAIL_SECONDS):
                await smtp.mail(mail.sender, options=["SMTPUTF8"] if mail.recipient.utf8 else None, encoding=encoding)
                await smtp.rcpt(mail.recipient.address, encoding=encoding)
        except aiosmtplib.SMTPSenderRefused as error:
            if error.code == _GOING_AWAY:
                raise ServerAway("going_away") from error
            await self._reset()
            return Answer("retry", "sender_refused")  # it is our own address, or our right to send: not the letter's fault
        except aiosmtplib.SMTPRecipientRefused as error:
            if error.code == _GOING_AWAY:
                raise ServerAway("going_away") from error
            await self._reset()
            return _refused(error.code)
        except _FAULTS as error:
            raise ServerAway(_name_of(error)) from error
        return await self._send_content(smtp, mail.content)

    async def _send_content(self, smtp: aiosmtplib.SMTP, content: bytes) -> Answer:
        try:
            async with asyncio.timeout(MAIL_SECONDS):
                await smtp.data(content)
        except aiosmtplib.SMTPDataError as error:
            await self._reset()
            return _refused(error.code)
        except _FAULTS:
            self.drop()
            return Answer("retry", "connection_lost")
        return Answer("sent")

    async def _reset(self) -> None:
        """Take back the mail under way; a connection that does not even take that is dropped."""
        if self._smtp is None:
            return
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                await self._smtp.rset()
        except _FAULTS:
            self.drop()


def _refused(code: int) -> Answer:
    """RFC 5321, 4.2.1: 4yz for now, 5yz for good."""
    return Answer("failed", "refused") if 500 <= code < 600 else Answer("retry", "deferred")


def _name_of(error: BaseException) -> str:
    return type(error).__name__
