"""A client that does not take silence for an answer, or gives up and does not know what became of what it asked."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import httpx

NO_ANSWER: tuple[type[Exception], ...] = (httpx.TransportError, AttributeError)
"""AttributeError: what anyio raises on uvloop when a connection is reset between being made and being looked at."""
TRIES = 60
AT_ONCE: Final = 80
"""Most requests under way, fewer than httpx keeps connections (100): at each event its pool looks at all that wait for one, so
hundreds of them, after an outage of some seconds, keep the whole client from ever coming up again."""
GIVE_UP_SECONDS: Final = 1.0
"""How long who gives up waits for an answer."""
_GIVE_UP_EVERY: Final = 10
_PAUSE_SECONDS = 0.25


class Client:
    """Sends through an httpx client.

    sites: of each site the addresses of all its processes: as behind a load balancer each try goes to another one of them.
    some_give_up: whether one in ten of those who act takes the first silence for an answer.
    """

    def __init__(self, http: httpx.AsyncClient, *, sites: Sequence[Sequence[str]] = (), some_give_up: bool = False) -> None:
        self._http = http
        self._some_give_up = some_give_up
        self._sites = [site for site in sites if len(site) > 1]
        self._tries = 0
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def act(self, request_id: UUID, url: str, typed: Mapping[str, str]) -> httpx.Response | None:
        """Send a form about a request: as `insist`, or as `once` where it is about one of those whose people give up."""
        if self._some_give_up and (request_id.int >> 20) % _GIVE_UP_EVERY == 0:
            return await self.once("POST", url, data=typed, timeout=GIVE_UP_SECONDS)
        return await self.insist("POST", url, data=typed)

    async def insist(self, method: str, url: str, **request: object) -> httpx.Response | None:
        """As `once`, again and again while there is no answer; None when there never is one."""
        for _ in range(TRIES):
            if (answer := await self.once(method, url, **request)) is not None:
                return answer
            await asyncio.sleep(_PAUSE_SECONDS)
        return None

    async def once(self, method: str, url: str, **request: object) -> httpx.Response | None:
        """Send once; None when there was no answer, or only "try again": whether it was done is unknown.

        Raises AssertionError on a server error: whatever dies behind it, a service answers 503.
        """
        try:
            async with self._turns:
                answer = await self._http.request(method, self._balanced(url), **request)  # type: ignore[arg-type]  # as httpx takes them
        except NO_ANSWER:
            return None
        if answer.status_code in (429, 503):
            return None
        told = f"{method} {answer.url.path.split('/')[1]}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, told
        return answer

    def _balanced(self, url: str) -> str:
        for site in self._sites:
            for one in site:
                if url.startswith(f"{one}/"):
                    self._tries += 1
                    return site[self._tries % len(site)] + url.removeprefix(one)
        return url
