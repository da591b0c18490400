"""The trial of good tokens put to a bad use can fail."""

import itertools
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx

from tests.fuzz.installation import Handed
from tests.fuzz.misuse import OTHERWISE, only_look, use_again, use_in_another_town, use_otherwise
from tests.fuzz.tried import Tried


async def test_a_service_that_takes_every_token_is_found() -> None:
    """Played by one that does whatever it is asked, each time anew."""
    handed = Handed(UUID(int=1), "opens-something")
    versions = itertools.count(3)

    async def acts(_request_id: UUID) -> Any:
        return SimpleNamespace(version=next(versions))

    app, tried = SimpleNamespace(shell=SimpleNamespace(find_state=acts)), Tried()
    played: Any = SimpleNamespace(
        apps={"router": app, "intake": app}, url=lambda _: "http://played", request_id=handed.request_id
    )
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, text="Merci."))) as http:
        await use_otherwise(played, http, handed, *OTHERWISE[0], tried)
        await only_look(played, http, handed, tried)
        await use_again(played, http, handed, "resolve", tried)
        await use_in_another_town(played, http, handed, "effacer", tried)
    assert tried.tries == 1 + 1 + 3 + 4
    assert len(tried.faults) == 2 + 2 + 4 + 5
