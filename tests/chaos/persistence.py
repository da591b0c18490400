"""A client that does not take silence for an answer."""

import asyncio

import httpx

NO_ANSWER: tuple[type[Exception], ...] = (httpx.TransportError, AttributeError)
"""AttributeError: what anyio raises on uvloop when a connection is reset between being made and being looked at."""
TRIES = 60
_PAUSE_SECONDS = 0.25


async def insist(http: httpx.AsyncClient, method: str, url: str, **request: object) -> httpx.Response | None:
    """Send until there is an answer other than "try again"; None when there is none: whether it was done is unknown.

    Raises AssertionError on a server error: whatever dies behind it, a service answers 503.
    """
    for _ in range(TRIES):
        try:
            answer = await http.request(method, url, **request)  # type: ignore[arg-type]  # as httpx takes them
        except NO_ANSWER:
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        if answer.status_code not in (429, 503):
            assert answer.status_code < 500, f"{method} {answer.url.path.split('/')[1]}: {answer.status_code} {answer.text[:300]}"
            return answer
        await asyncio.sleep(_PAUSE_SECONDS)
    return None
