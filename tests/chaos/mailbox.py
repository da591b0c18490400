"""All the mailboxes of a town: each letter is given once to whoever acts on it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from tests.chaos.persistence import Client


@dataclass(frozen=True)
class Letter:
    """A mail that tells of a step of a life, as its Message-ID says. `links`: asks the sink for the links that are in it."""

    kind: str
    version: int
    request_id: UUID
    links: Callable[[], Awaitable[list[str]]]


Reader = Callable[[Letter], Awaitable[None]]


class Mailboxes:
    """Reads them all; `readers`: who acts on a letter, by its kind. The rest nobody reads."""

    def __init__(self, client: Client, *, url: str, readers: Mapping[str, Reader]) -> None:
        self._client = client
        self._url = url
        self._readers = readers
        self._stopping = False
        self._seen: set[str] = set()
        self._last = ""

    async def serve(self) -> None:
        """Read until `stop`, then have everybody finish what they began."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                answer = await self._client.insist("GET", f"{self._url}/api/mails", params={"after": self._last})
                for mail in answer.json() if answer is not None else ():
                    self._last = mail["id"]
                    group.create_task(self._read(mail["message_id"], mail["id"]))
                await asyncio.sleep(0.2)

    def stop(self) -> None:
        """Read nothing more."""
        self._stopping = True

    async def _read(self, message_id: str, id: str) -> None:
        kind, *version, request_id = message_id.strip("<>").partition("@")[0].split(".")
        reader = self._readers.get(kind)
        if reader is None or message_id in self._seen:
            return
        self._seen.add(message_id)

        async def links() -> list[str]:
            whole = await self._client.insist("GET", f"{self._url}/api/mails/{id}")
            return list(whole.json()["links"]) if whole is not None else []

        await reader(Letter(kind, int(version[0]), UUID(request_id), links))
