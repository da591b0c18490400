"""Usagers who come back to their tracking page while things break: by themselves, and when they are written to."""

import asyncio
from typing import Final, Literal, TypeAlias
from uuid import UUID

import httpx

from deploy.demo.pages import read_page
from tests.chaos.load import CANARY
from tests.chaos.mailbox import Letter
from tests.chaos.persistence import Client
from tests.judge.evidence import Act, History, Outcome

Wish: TypeAlias = Literal["add", "reopen", "withdraw", "erase"]

_PLANS: Final[tuple[tuple[Wish, ...], ...]] = (
    (), (), (), (), (), (), (), (), ("add",), ("add",), ("add", "add"), ("withdraw",), ("withdraw",),
    ("add", "withdraw"), ("erase",), ("add", "erase"),
)  # fmt: skip
_PATH: Final[dict[Wish, str]] = {"add": "/ajouter", "reopen": "/rouvrir", "withdraw": "/retirer", "erase": "/effacer"}
_TEXTS: Final[dict[Wish, str]] = {
    "add": f"J’ajoute que le banc de {CANARY} est celui de gauche.",
    "reopen": f"Le banc de {CANARY} est cassé de nouveau.",
}
"""What is written on the tracking page itself; for the other wishes it leads to a page that asks whether one is sure."""


class Usagers:
    """Half of them come back, some seconds after they wrote. Most answer a question; one in three contests an answer."""

    def __init__(self, client: Client, *, history: History, group: asyncio.TaskGroup) -> None:
        self._client = client
        self._history = history
        self._group = group
        self._pages: dict[UUID, str] = {}

    def expect(self, request_id: UUID, tracking_url: str) -> None:
        """Know of an accepted request."""
        self._pages[request_id] = tracking_url
        number = request_id.int >> 8
        if plan := _PLANS[number % len(_PLANS)]:
            self._group.create_task(self._come_back(request_id, plan, after_seconds=number % 40 / 10))

    async def reply(self, letter: Letter) -> None:
        """Answer the question that they are asked."""
        number = letter.request_id.int >> 16
        if number % 4:
            await self._come_back(letter.request_id, ("add",), after_seconds=number % 20 / 10)

    async def contest(self, letter: Letter) -> None:
        """Ask to reopen what was answered or closed."""
        number = letter.request_id.int >> 16
        if number % 3 == 0:
            await self._come_back(letter.request_id, ("reopen",), after_seconds=number % 20 / 10)

    async def _come_back(self, request_id: UUID, plan: tuple[Wish, ...], *, after_seconds: float) -> None:
        url = self._pages.get(request_id)
        for wish in plan if url is not None else ():
            await asyncio.sleep(after_seconds)
            shown = await self._client.insist("GET", f"{url}{'' if wish in _TEXTS else _PATH[wish]}")
            if shown is None:
                return
            form = next((form for form in read_page(shown).forms if form.action.endswith(_PATH[wish])), None)
            if form is None:
                return  # the state of the request does not allow it: the page does not offer it
            typed = form.fields | ({"text": _TEXTS[wish]} if wish in _TEXTS else {})
            answer = await self._client.act(request_id, f"{url}{_PATH[wish]}", typed)
            self._note(request_id, wish, answer)
            if answer is None:
                return

    def _note(self, request_id: UUID, wish: Wish, answer: httpx.Response | None) -> None:
        """Note what the page said. Raises AssertionError when it said neither yes nor no."""
        assert answer is None or answer.status_code in (303, 409), f"{wish}: {answer.status_code} {answer.text[:300]}"
        outcome: Outcome = "unknown" if answer is None else "done" if answer.status_code == 303 else "refused"
        if wish == "erase":
            self._history.note_erasure(request_id, outcome)
        elif self._history.acts is not None:
            self._history.acts.append(Act(request_id, wish, outcome))
