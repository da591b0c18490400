"""One mail over one connection, with servers that take one command at a time, and with servers that take several."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import pytest

from services.notifier.compose import Mail
from services.notifier.settings import parse_server
from services.notifier.smtp import Answer, Line, ServerAway
from shared.mail_address import parse_address

MAIL = Mail("mairie@rivemont.example", parse_address("solene@courriel.example"), b"Subject: x\r\n\r\n.\r\n..a\r\nb\r\n")
TAKEN = {"MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n", "DATA": b"354 go on\r\n", ".": b"250 taken\r\n"}
HANG_UP = b"421 closing\r\n"
both = pytest.mark.parametrize("pipelining", [False, True])


class Server:
    """Answers as it was told to, and keeps what it was sent. A 421 is its last word."""

    def __init__(self, answers: Mapping[str, bytes], *, pipelining: bool) -> None:
        self.answers = {"EHLO": self._greeting(pipelining), "RSET": b"250 ok\r\n", "QUIT": b"221 bye\r\n", **TAKEN, **answers}
        self.commands: list[str] = []
        self.contents: list[bytes] = []
        self.most_at_once = 0
        self.connections = 0

    @staticmethod
    def _greeting(pipelining: bool) -> bytes:
        return b"250-server\r\n" + (b"250-PIPELINING\r\n" if pipelining else b"") + b"250 SMTPUTF8\r\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(b"220 server\r\n")
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                lines = data.decode().split("\r\n")[:-1]
                self.most_at_once = max(self.most_at_once, len(lines))
                for answer in map(self._answer, lines):
                    writer.write(answer)
                    if answer.startswith(b"421"):
                        writer.close()
                        return
                if self.commands[-1] == "DATA" and self.answers["DATA"].startswith(b"354"):
                    self.contents.append(await reader.readuntil(b"\r\n.\r\n"))
                    writer.write(self.answers["."])
        writer.close()

    def _answer(self, line: str) -> bytes:
        verb = line[:4].upper()
        self.commands.append(verb)
        return self.answers[verb]


@asynccontextmanager
async def connected(answers: Mapping[str, bytes], *, pipelining: bool) -> AsyncIterator[tuple[Server, Line]]:
    server = Server(answers, pipelining=pipelining)
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        line = Line(parse_server(f"smtp://127.0.0.1:{listening.sockets[0].getsockname()[1]}"), name="test")
        try:
            yield server, line
        finally:
            await line.close()


@both
async def test_a_mail_arrives_as_it_was_written_and_the_next_one_on_the_same_connection(*, pipelining: bool) -> None:
    async with connected({}, pipelining=pipelining) as (server, line):
        assert [await line.send(MAIL), await line.send(MAIL)] == [Answer("sent"), Answer("sent")]
    assert server.contents == [b"Subject: x\r\n\r\n..\r\n...a\r\nb\r\n.\r\n"] * 2
    assert (server.connections, server.most_at_once) == (1, 3 if pipelining else 1)


@both
@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        ({"MAIL": b"550 not you\r\n", "RCPT": b"503 no\r\n", "DATA": b"503 no\r\n"}, Answer("retry", "sender_refused")),
        ({"RCPT": b"550 nobody\r\n", "DATA": b"554 nobody\r\n"}, Answer("failed", "refused")),
        ({"RCPT": b"450-wait\r\n450 a while\r\n", "DATA": b"503 no\r\n"}, Answer("retry", "deferred")),
        ({"RCPT": b"550 nobody\r\n"}, Answer("failed", "refused")),  # and DATA is answered by "go on" all the same
        ({"DATA": b"451 not now\r\n"}, Answer("retry", "deferred")),
        ({"RCPT": HANG_UP}, Answer("retry", "deferred")),
        ({".": b"554 no\r\n"}, Answer("failed", "refused")),
        ({".": HANG_UP}, Answer("retry", "deferred")),
        ({".": b"taken\r\n"}, Answer("retry", "connection_lost")),
    ],
)
async def test_what_is_refused_is_told_and_no_content_is_sent_for_it(
    answers: dict[str, bytes], wanted: Answer, *, pipelining: bool
) -> None:
    async with connected(answers, pipelining=pipelining) as (server, line):
        assert await line.send(MAIL) == wanted
        assert len(server.contents) == ("." in answers)
        server.answers |= TAKEN
        assert await line.send(MAIL) == Answer("sent")  # nothing of the one before is left on the connection


@both
@pytest.mark.parametrize("last", [HANG_UP, b"nonsense\r\n", b"250" + b"x" * 40_000])
async def test_a_server_that_hangs_up_or_talks_nonsense_is_away(last: bytes, *, pipelining: bool) -> None:
    async with connected({"MAIL": last}, pipelining=pipelining) as (server, line):
        with pytest.raises(ServerAway):
            await line.send(MAIL)
        assert not line.connected and server.contents == []


@pytest.mark.parametrize("spoil", [lambda one: one + "\r\nRCPT TO:<x@example.org>", lambda one: "a\n" + one])
async def test_an_address_that_would_be_two_commands_is_not_sent(spoil: Callable[[str], str]) -> None:
    async with connected({}, pipelining=True) as (server, line):
        with pytest.raises(ValueError, match="control character"):
            await line.send(Mail(spoil(MAIL.sender), MAIL.recipient, MAIL.content))
        assert server.commands == ["EHLO"]
