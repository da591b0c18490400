"""A client that posts requests while things break, and keeps a history of what it was told."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import httpx

from tests.chaos.persistence import Client
from tests.proof.evidence import History

_SERVICES = ("voirie", "proprete", "education", "etat-civil", "maire")
_REFUSED_EVERY = 25
"""After so many posts comes one for an authority that is not there."""
CANARY = "quatrevaux-canari"
"""A part of the name, the address and every text of everybody: readable in mails and nowhere else."""


def _nobody(_request_id: UUID, _tracking_url: str) -> None:
    """Do nothing with an accepted request."""


class Load:
    """Posts `rate` requests a second through the API until it is stopped; a refused one is tried again, with its key."""

    def __init__(self, url: str, *, rate: float, history: History, on_accepted: Callable[[UUID, str], None] = _nobody) -> None:
        self._url = url
        self._rate = rate
        self._history = history
        self._on_accepted = on_accepted
        self._stopping = asyncio.Event()
        self.posted = 0
        history.canary = CANARY

    async def run(self) -> None:
        """Post until `stop`, then wait for the answers that are missing."""
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http, asyncio.TaskGroup() as group:
            client = Client(http)
            while not self._stopping.is_set():
                self.posted += 1
                group.create_task(self._post(client, self.posted))
                if self.posted % _REFUSED_EVERY == 0:
                    group.create_task(self._post_in_vain(client, self.posted))
                await asyncio.sleep(1 / self._rate)

    @asynccontextmanager
    async def at(self, times: float) -> AsyncIterator[None]:
        """Post so many times as much for the time of the block."""
        self._rate *= times
        try:
            yield
        finally:
            self._rate /= times

    def stop(self) -> None:
        """Begin no further post."""
        self._stopping.set()

    async def _post(self, client: Client, number: int) -> None:
        answer = await self._send(client, _body(number), key=uuid.uuid4().hex)
        if answer is None:
            self._history.unknown += 1
            return
        assert answer.status_code in (200, 201), f"{answer.status_code} {answer.text[:300]}"
        request_id = UUID(answer.json()["request_id"])
        self._history.accepted.add(request_id)
        self._on_accepted(request_id, answer.json()["tracking_url"])

    async def _post_in_vain(self, client: Client, number: int) -> None:
        key = uuid.uuid4().hex
        answer = await self._send(client, _body(number) | {"authority": "ailleurs"}, key=key)
        if answer is not None:
            assert answer.status_code == 422, f"{answer.status_code} {answer.text[:300]}"
        self._history.refused.add(key)

    async def _send(self, client: Client, body: dict[str, str], *, key: str) -> httpx.Response | None:
        return await client.insist("POST", f"{self._url}/v1/requests", json=body, headers={"Idempotency-Key": key})


def _body(number: int) -> dict[str, str]:
    return {
        "authority": "rivemont",
        "channel": "app",
        "service": _SERVICES[number % len(_SERVICES)],
        "name": f"Camille {CANARY}",
        "email": f"usager{number}.{CANARY}@courriel.example",
        "text": f"Demande numéro {number} de {CANARY} : le banc devant l'école est cassé.",
    }
