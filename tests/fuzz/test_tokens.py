"""S4: what opens a page does only what it is for, once; and looking changes nothing, whoever looks."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.actions.link import LinkAction
from tests.fuzz.installation import NOON, Handed, Installation, hand_over, mint
from tests.fuzz.routes import walk
from tests.fuzz.tokens import CROSS_SITE, try_all

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
_OTHER_SECRET = base64.b64encode(bytes(32)).decode()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=20, headers=CROSS_SITE) as client:
        yield client


@pytest.fixture
async def handed(installation: Installation) -> Handed:
    return await hand_over(installation.apps, service="voirie")


async def life(installation: Installation, handed: Handed) -> Any:
    """The request as the router knows it. Any: its state."""
    return await installation.apps["router"].shell.find_state(handed.request_id)


async def test_no_look_at_any_route_changes_a_row(installation: Installation) -> None:
    walked = await walk(installation)

    assert not walked.faults, "\n".join(walked.faults)
    assert walked.routes.keys() == {"intake", "router", "sla", "stats"}
    assert sum(walked.routes.values()) > 25
    assert walked.asked > 400


async def test_guessed_and_altered_tokens_open_nothing(installation: Installation) -> None:
    tried = await try_all(installation, seed=1)

    assert not tried.faults, "\n".join(tried.faults[:20])
    assert tried.tries > 20_000


async def test_a_tracking_token_has_128_bits(installation: Installation, handed: Handed) -> None:
    assert len(base64.urlsafe_b64decode(handed.tracking_token + "==")) * 8 == 128
    assert handed.tracking_token != installation.tracking_token


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"expires_at": NOON - timedelta(seconds=1)}, 410),
        ({"secret": _OTHER_SECRET}, 404),
        ({"authority": "saint-aubrin"}, 404),
        ({"authority": "nulle-part"}, 404),
        ({"agent": "proprete@rivemont.example"}, 409),
        ({"agent": "usager@courriel.example"}, 409),
        ({"version": 1}, 409),
        ({"version": 3}, 409),
    ],
)
async def test_a_link_for_something_else_changes_nothing(
    installation: Installation, http: httpx.AsyncClient, handed: Handed, changes: dict[str, Any], status: int
) -> None:
    before = await life(installation, handed)

    answer = await http.post(f"{installation.url('router')}/a/{mint(handed.request_id, 'take_charge', **changes)}")

    assert answer.status_code == status, answer.text
    assert await life(installation, handed) == before


@pytest.mark.parametrize("action", ["take_charge", "ask", "answer", "transfer", "resolve"])
async def test_a_link_acts_once_and_on_its_own_request_alone(
    installation: Installation, http: httpx.AsyncClient, handed: Handed, action: LinkAction
) -> None:
    neighbour = await life(installation, Handed(installation.request_id, ""))
    url = f"{installation.url('router')}/a/{mint(handed.request_id, action)}"
    form = {"text": "Bonjour.", "target": "proprete"}

    first = await http.post(url, data=form)
    after = await life(installation, handed)
    again, otherwise = await http.post(url, data=form), await http.post(url, data=form | {"text": "Autre chose."})

    assert (first.status_code, again.status_code, otherwise.status_code) == (200, 200, 409)
    assert "déjà" in again.text
    assert "déjà" in otherwise.text
    assert after.version > 2
    assert await life(installation, handed) == after
    assert await life(installation, Handed(installation.request_id, "")) == neighbour


async def test_a_link_that_only_shows_does_not_act(installation: Installation, http: httpx.AsyncClient, handed: Handed) -> None:
    before = await life(installation, handed)

    answer = await http.post(f"{installation.url('router')}/a/{mint(handed.request_id, 'view')}", data={"text": "Bonjour."})

    assert answer.status_code == 405
    assert await life(installation, handed) == before


@pytest.mark.parametrize("act", ["ajouter", "rouvrir", "retirer", "effacer"])
async def test_a_tracking_token_opens_nothing_in_another_town(
    installation: Installation, http: httpx.AsyncClient, handed: Handed, act: str
) -> None:
    shell = installation.apps["intake"].shell
    before = await shell.find_state(handed.request_id)

    for page in (f"/saint-aubrin/suivi/{handed.tracking_token}", f"/nulle-part/suivi/{handed.tracking_token}"):
        assert (await http.get(installation.url("intake") + page)).status_code == 404
        answer = await http.post(f"{installation.url('intake')}{page}/{act}", data={"text": "Bonjour."})
        assert answer.status_code == 404

    assert await shell.find_state(handed.request_id) == before


async def test_somebody_elses_idempotency_key_tells_nothing(installation: Installation, http: httpx.AsyncClient) -> None:
    """Who knows the key but not the whole body learns neither the token nor the reference nor what was asked."""
    body = {"authority": "rivemont", "service": "voirie", "email": "camille@exemple.fr", "text": "Chez moi, au 12."}
    url, key = f"{installation.url('intake')}/v1/requests", {"Idempotency-Key": "0b1d7c1e-known"}
    accepted = (await http.post(url, json=body, headers=key)).json()

    for name in ("service", "email", "text"):
        others = {"authority": "rivemont", "phone": "0600000000", "text": "x"} | {k: v for k, v in body.items() if k != name}
        answer = await http.post(url, json=others, headers=key)
        assert answer.status_code == 409
        told = json.dumps(answer.json(), ensure_ascii=False)
        assert not [value for value in accepted.values() if isinstance(value, str) and value in told]
        assert "camille" not in told
    another_town = await http.post(url, json=body | {"authority": "saint-aubrin", "service": None}, headers=key)
    assert another_town.json()["tracking_token"] != accepted["tracking_token"]
