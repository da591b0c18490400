"""Commands to a mail server, and the codes of its answers: several may be under way at once (RFC 2920)."""

import asyncio
import re
from collections.abc import Sequence
from typing import Final

_CONTROL: Final = re.compile(rb"[\x00-\x1f\x7f]")
_LONGEST_ANSWERS: Final = 32_768


class BadAnswer(ConnectionError):
    """What came is no answer of SMTP's. The connection is closed."""


class Wire(asyncio.Protocol):
    """A connection that aiosmtplib has opened, taken over from it: its reader loses answers that come together."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._rest = b""
        self._codes: list[int] = []
        self._wanted = 0
        self._answered: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._answered.cancel()  # nothing is asked yet
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return not self._transport.is_closing()

    def command(self, *commands: bytes) -> "asyncio.Future[list[int]]":
        """Send commands in one write; what comes is as `send` says. Raises ValueError where one would be two."""
        for one in commands:
            if _CONTROL.search(one):
                raise ValueError("a command holds a control character")
        return self.send(b"".join(one + b"\r\n" for one in commands), answers=len(commands))

    def send(self, data: bytes, *, answers: int) -> "asyncio.Future[list[int]]":
        """Send bytes; the codes of so many answers come, fewer where the server said its last word and hung up.

        For one caller at a time. Raises, now or later, ConnectionError when the connection is lost without any answer.
        """
        if self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        self._rest, self._codes, self._wanted = b"", [], answers  # what came unasked is no answer to this
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return self._answered

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take answers; the last line of each has no hyphen after its code (RFC 5321, 4.2.1)."""
        if self._answered.done():
            return
        told = self._rest + data
        *lines, self._rest = told.split(b"\n")
        try:
            if len(told) > _LONGEST_ANSWERS:
                raise ValueError("an answer without an end")
            self._codes += _codes_in(lines)
        except ValueError:
            self._end(BadAnswer("what the mail server said is no answer"))
            self._transport.abort()
        if len(self._codes) >= self._wanted:
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand on what was answered before; if nothing was, say that the connection is lost."""
        self._end(None if self._codes else ConnectionResetError("the mail server hung up"))

    def _end(self, error: ConnectionError | None) -> None:
        if self._answered.done():
            return
        if error is None:
            self._answered.set_result(self._codes[: self._wanted])
        else:
            self._answered.set_exception(error)


def _codes_in(lines: Sequence[bytes]) -> list[int]:
    """Return the codes of the lines that end an answer. Raises ValueError for a line that has none."""
    return [code for code, is_last in [(int(line[:3]), line[3:4] != b"-") for line in lines] if is_last]
