"""Usagers who come back to their tracking page while things break: they add a message, withdraw, have their data erased."""

import asyncio
from typing import Final, Literal, TypeAlias
from uuid import UUID

from deploy.demo.pages import read_page
from tests.chaos.load import CANARY
from tests.chaos.persistence import Client
from tests.proof.evidence import Act, History

Wish: TypeAlias = Literal["add", "withdraw", "erase"]

_PLANS: Final[tuple[tuple[Wish, ...], ...]] = (
    (), (), (), (), (), (), (), (), ("add",), ("add",), ("add", "add"), ("withdraw",), ("withdraw",),
    ("add", "withdraw"), ("erase",), ("add", "erase"),
)  # fmt: skip
_PATH: Final[dict[Wish, str]] = {"add": "/ajouter", "withdraw": "/retirer", "erase": "/effacer"}


class Usagers:
    """Half of the usagers come back, some seconds after they wrote."""

    def __init__(self, client: Client, *, history: History, group: asyncio.TaskGroup) -> None:
        self._client = client
        self._acts = history.acts if history.acts is not None else []
        self._group = group

    def expect(self, request_id: UUID, tracking_url: str) -> None:
        """Know of an accepted request."""
        number = request_id.int >> 8
        if plan := _PLANS[number % len(_PLANS)]:
            self._group.create_task(self._come_back(request_id, tracking_url, plan, after_seconds=number % 40 / 10))

    async def _come_back(self, request_id: UUID, url: str, plan: tuple[Wish, ...], *, after_seconds: float) -> None:
        for wish in plan:
            await asyncio.sleep(after_seconds)
            shown = await self._client.insist("GET", url + ("" if wish == "add" else _PATH[wish]))
            if shown is None:
                return
            form = next((form for form in read_page(shown).forms if form.action.endswith(_PATH[wish])), None)
            if form is None:
                return  # the request is closed: the page offers nothing more
            typed = form.fields | ({"text": f"J’ajoute que le banc de {CANARY} est celui de gauche."} if wish == "add" else {})
            answer = await self._client.insist("POST", url + _PATH[wish], data=typed)
            if wish == "erase":
                return  # done or not, the log says; a second time changes nothing
            if answer is None:
                self._acts.append(Act(request_id, wish, "unknown"))
                return
            assert answer.status_code in (303, 409), f"{wish}: {answer.status_code} {answer.text[:300]}"
            self._acts.append(Act(request_id, wish, "done" if answer.status_code == 303 else "refused"))
