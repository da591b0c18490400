"""What usagers were told when they came back, as the history keeps it."""

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.chaos.usagers import Usagers
from tests.judge.evidence import History, Outcome

_URL = "http://intake/rivemont/suivi/secret"
_ERASES = UUID(int=14 << 8)
"""One of those who come to erase, and for nothing else."""
_PAGE = f'<form method="post" action="{_URL}/effacer"><button>Effacer</button></form>'


@pytest.mark.parametrize(("status", "outcome"), [(303, "done"), (409, "refused"), (None, "unknown")])
async def test_what_became_of_an_erasure_is_noted(status: int | None, outcome: Outcome) -> None:
    history = await _come_back(status)
    assert history.erasures == {_ERASES: outcome}
    assert history.acts == []


async def test_an_answer_that_says_neither_yes_nor_no_is_a_fault() -> None:
    with pytest.raises(ExceptionGroup):
        await _come_back(200)


async def _come_back(status: int | None) -> History:
    """Have the usager erase, and the page answer so; None: not at all."""

    async def show(_method: str, url: str) -> httpx.Response:
        return httpx.Response(200, html=_PAGE, request=httpx.Request("GET", url))

    async def act(_request_id: UUID, _url: str, _typed: object) -> httpx.Response | None:
        return httpx.Response(status) if status is not None else None

    client: Any = SimpleNamespace(insist=show, act=act)
    history = History(acts=[], erasures={})
    async with asyncio.TaskGroup() as group:
        Usagers(client, history=history, group=group).expect(_ERASES, _URL)
    return history
