"""A client that posts requests while things break, and keeps a history of what it was told."""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

import httpx

from tests.chaos.persistence import GIVE_UP_SECONDS, Client
from tests.judge.evidence import History

_SERVICES = ("voirie", "proprete", "education", "etat-civil", "maire")
_REFUSED_EVERY = 25
"""After so many posts comes one for an authority that is not there."""
Mood: TypeAlias = Literal["insists", "gives_up", "has_no_key"]
_MOODS: Final[dict[Mood, float]] = {"insists": 0.9, "gives_up": 0.05, "has_no_key": 0.05}
"""How many insist until they have their answer, and how many post once, with an Idempotency-Key or without."""
CANARY = "quatrevaux-canari"
"""A part of the name, the address and every text of everybody: readable in mails and nowhere else."""


def _nobody(_request_id: UUID, _tracking_url: str) -> None:
    """Do nothing with an accepted request."""


class Load:
    """Posts `rate` requests a second through the API until it is stopped; a refused one is tried again, with its key.

    seed: draws who gives up after the first silence, and does not know what became of the request; None: everybody insists.
    """

    def __init__(
        self,
        url: str,
        *,
        rate: float,
        history: History,
        on_accepted: Callable[[UUID, str], None] = _nobody,
        seed: int | None = None,
    ) -> None:
        self._url = f"{url}/v1/requests"
        self._rate = rate
        self._history = history
        self._on_accepted = on_accepted
        self._moods = None if seed is None else random.Random(seed)
        self._stopping = asyncio.Event()
        self.posted = 0
        self.longest = 0.0
        """The most seconds that anybody waited for an answer, over all tries."""
        history.canary = CANARY

    async def run(self) -> None:
        """Post until `stop`, then wait for the answers that are missing."""
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http, asyncio.TaskGroup() as group:
            client = Client(http)
            while not self._stopping.is_set():
                self.posted += 1
                group.create_task(self._post(client, self.posted, self._draw_mood()))
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

    def _draw_mood(self) -> Mood:
        return "insists" if self._moods is None else self._moods.choices(list(_MOODS), list(_MOODS.values()))[0]

    async def _post(self, client: Client, number: int, mood: Mood) -> None:
        body, mark, began = _body(number), uuid.uuid4().hex, time.monotonic()
        match mood:
            case "insists":
                answer = await client.insist("POST", self._url, **_with_key(body, mark))
            case "gives_up":
                answer = await client.once("POST", self._url, timeout=GIVE_UP_SECONDS, **_with_key(body, mark))
            case "has_no_key":  # such a request is known by the service that it asks for: nobody else does
                mark = body["service"] = f"inconnu-{number}"
                answer = await client.once("POST", self._url, timeout=GIVE_UP_SECONDS, json=body)
        if answer is None:
            self._history.give_up(mark)
            return
        assert answer.status_code in (200, 201), f"{answer.status_code} {answer.text[:300]}"
        self.longest = max(self.longest, time.monotonic() - began)
        request_id = UUID(answer.json()["request_id"])
        self._history.accepted.add(request_id)
        self._on_accepted(request_id, answer.json()["tracking_url"])

    async def _post_in_vain(self, client: Client, number: int) -> None:
        key = uuid.uuid4().hex
        answer = await client.insist("POST", self._url, **_with_key(_body(number) | {"authority": "ailleurs"}, key))
        if answer is not None:
            assert answer.status_code == 422, f"{answer.status_code} {answer.text[:300]}"
        self._history.refused.add(key)


def _with_key(body: dict[str, str], key: str) -> dict[str, Any]:
    """Return what httpx sends. Any: its arguments."""
    return {"json": body, "headers": {"Idempotency-Key": key}}


def _body(number: int) -> dict[str, str]:
    return {
        "authority": "rivemont",
        "channel": "app",
        "service": _SERVICES[number % len(_SERVICES)],
        "name": f"Camille {CANARY}",
        "email": f"usager{number}.{CANARY}@courriel.example",
        "text": f"Demande numéro {number} de {CANARY} : le banc devant l'école est cassé.",
    }
