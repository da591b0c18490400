"""Security: what surrounds every answer and every body. Plain ASGI, a few microseconds a request."""

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.pages.answers import ProblemAnswers
from shared.pages.problem import N_, Problem

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
_FORM = "application/x-www-form-urlencoded"
_DRAIN_BYTES = 32_000_000
_DRAIN_SECONDS = 10
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.-]+)", re.IGNORECASE)
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})
# JSON escapes that decode to what PostgreSQL refuses (NUL) or UTF-8 cannot write (lone surrogates).
_NUL_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


def secure(
    app: FastAPI, answers: ProblemAnswers, *, max_body_bytes: int, admit: Callable[[Scope], None] = lambda scope: None
) -> None:
    """Problems answered, bodies guarded, headers set, unexpected errors caught: all of it, in the right order.

    `admit` may raise Problem before anything of a request is read: turning away must cost less than taking.
    """
    answers.install(app)
    app.add_middleware(BodyGuard, answers=answers, max_body_bytes=max_body_bytes, admit=admit)
    app.add_middleware(UnexpectedErrors, answers=answers)
    app.add_middleware(SecurityHeaders)


class SecurityHeaders:
    """Adds the headers that an answer does not set itself; pages are never kept by a cache."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                told = dict(headers)
                headers += [header for header in _RAW_HEADERS if header[0] not in told]
                if told.get(b"content-type", b"").startswith(b"text/html") and b"cache-control" not in told:
                    headers.append((b"cache-control", b"no-store"))
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class UnexpectedErrors:
    """Answers 500 with an error id. The exception ends here: a server's own traceback would print its text."""

    def __init__(self, app: ASGIApp, *, answers: ProblemAnswers) -> None:
        self._app = app
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as error:
            response = self._answers.unexpected(Request(scope), error)
            if started:  # nothing can be said any more: cut the answer short, so that it is not taken for a whole one
                raise RuntimeError("an answer was cut short by an error; its id is in the log") from None
            await response(scope, receive, send)


class BodyGuard:
    """Refuses what is too large (413, also when no length is announced), not UTF-8 or holds a NUL (400).

    Forms and JSON are read whole and checked; other bodies, such as uploads, are counted while they stream.
    """

    def __init__(self, app: ASGIApp, *, answers: ProblemAnswers, max_body_bytes: int, admit: Callable[[Scope], None]) -> None:
        self._app = app
        self._answers = answers
        self._max_body_bytes = max_body_bytes
        self._admit = admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wire = _Wire(receive)
        try:
            self._admit(scope)
            await self._guarded(scope, wire, send)
        except Problem as problem:  # ours only: the application answers its own
            if problem.status == 413 and "expect" not in Headers(scope=scope):
                await wire.drain()
            await self._answers.answer(Request(scope), problem)(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            raise Problem(400)
        headers = Headers(scope=scope)
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_json = media_type == "application/json" or media_type.endswith("+json")
        if _announced_bytes(headers) > self._max_body_bytes:
            raise _too_large()
        if not is_json and media_type != _FORM:
            await self._counted(scope, receive, send)
            return
        _refuse_charset(headers)
        body = await self._whole(receive)
        _refuse_text_that_cannot_be_stored(body, is_json=is_json)
        await self._app(scope, _replayed(body, receive), send)

    async def _whole(self, receive: Receive) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self._max_body_bytes:
                raise _too_large()
            if not message.get("more_body", False):
                return b"".join(chunks)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        size = 0
        exceeded = started = False

        async def counting() -> Message:
            nonlocal size, exceeded
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._max_body_bytes:
                exceeded = True
                raise _too_large()
            return message

        async def unless_exceeded(message: Message) -> None:
            nonlocal started
            if not exceeded or started:  # what the application makes of the cut body is not the answer
                started = True
                await send(message)

        try:
            await self._app(scope, counting, unless_exceeded)
        except Problem:
            if not exceeded or started:
                raise
        if exceeded and not started:
            raise _too_large()


class _Wire:
    """The body as it arrives. What a refused sender still sends is read and dropped for a while: answered at once
    and cut off, a browser would show "connection reset" instead of the page that says what to do."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self._ended = not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        size = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self._ended and size < _DRAIN_BYTES:
                    size += len((await self()).get("body", b""))


def _too_large() -> Problem:
    # Bytes may still be on the wire: the connection cannot serve another request.
    return Problem(413, headers={"Connection": "close"})


def _announced_bytes(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 20):
        raise Problem(400)
    return int(length)


def _refuse_charset(headers: Headers) -> None:
    charset = _CHARSET.search(headers.get("content-type", ""))
    if charset and charset[1].lower() not in _UTF8:
        raise Problem(415, detail=N_("Seul le codage UTF-8 est accepté."))


def _refuse_text_that_cannot_be_stored(body: bytes, *, is_json: bool) -> None:
    try:
        text = (body if is_json else unquote_to_bytes(body)).decode("utf-8")
        if is_json and _SURROGATE_ESCAPE.search(body):
            json.dumps(json.loads(body), ensure_ascii=False).encode("utf-8")
    except (UnicodeError, RecursionError):
        raise Problem(400, detail=N_("Les données reçues ne sont pas de l’UTF-8 valide.")) from None
    except ValueError:  # not JSON: the route says where
        return
    if "\0" in text or (is_json and "\\u0000" in text and _NUL_ESCAPE.search(text)):
        raise Problem(400, detail=N_("Les données reçues contiennent un caractère nul."))


def _replayed(body: bytes, receive: Receive) -> Receive:
    pending = [body]

    async def replay() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return replay
