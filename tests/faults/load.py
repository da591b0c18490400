"""A client that posts requests while things break, and keeps a history of what it was told."""

import asyncio
import uuid
from uuid import UUID

import httpx

from tests.proof.checker import History

_SERVICES = ("voirie", "proprete", "education", "etat-civil", "maire")
_TRIES = 40


class Load:
    """Posts `rate` requests a second through the API until it is stopped; a refused one is tried again, with its key."""

    def __init__(self, url: str, *, rate: float, history: History) -> None:
        self._url = url
        self._rate = rate
        self._history = history
        self._stopping = asyncio.Event()
        self._number = 0

    async def run(self) -> None:
        """Post until `stop`, then wait for the answers that are missing."""
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http, asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                self._number += 1
                group.create_task(self._post(http, self._number))
                await asyncio.sleep(1 / self._rate)

    def stop(self) -> None:
        """Begin no further post."""
        self._stopping.set()

    async def _post(self, http: httpx.AsyncClient, number: int) -> None:
        key = uuid.uuid4().hex
        body = {
            "authority": "rivemont",
            "channel": "app",
            "service": _SERVICES[number % len(_SERVICES)],
            "email": f"usager{number}@courriel.example",
            "text": f"Demande numéro {number} : le banc devant l'école est cassé.",
        }
        for attempt in range(_TRIES):
            try:
                answer = await http.post(f"{self._url}/v1/requests", json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                await asyncio.sleep(0.25)
                continue
            if answer.status_code in (200, 201):
                self._history.accepted.add(UUID(answer.json()["request_id"]))
                return
            if answer.status_code not in (429, 503):
                raise AssertionError(f"try {attempt}: {answer.status_code} {answer.text[:300]}")
            await asyncio.sleep(0.25)
        self._history.unknown += 1
