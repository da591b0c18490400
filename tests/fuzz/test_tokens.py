"""S4: what opens a page does only what it is for, once; and looking changes nothing, whoever looks."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from shared.actions.link import LinkAction
from tests.fuzz.installation import Handed, Installation, hand_over
from tests.fuzz.misuse import ACTIONS, OTHERWISE, TRACKING_ACTS, only_look, use_again, use_in_another_town, use_otherwise
from tests.fuzz.routes import walk
from tests.fuzz.tokens import try_all
from tests.fuzz.tried import CROSS_SITE, Tried

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=20, headers=CROSS_SITE) as client:
        yield client


@pytest.fixture
async def handed(installation: Installation) -> Handed:
    return await hand_over(installation.apps, service="voirie")


async def test_no_look_at_any_route_changes_a_row(installation: Installation) -> None:
    walked = await walk(installation)

    assert not walked.faults, "\n".join(walked.faults)
    assert walked.routes.keys() == {"intake", "router", "sla", "stats"}
    assert sum(walked.routes.values()) > 25
    assert walked.asked > 400


async def test_guessed_altered_and_misused_tokens_open_nothing(installation: Installation) -> None:
    tried = await try_all(installation, seed=1)

    assert not tried.faults, "\n".join(tried.faults[:20])
    assert tried.tries > 20_000


async def test_a_tracking_token_has_128_bits(installation: Installation, handed: Handed) -> None:
    assert len(base64.urlsafe_b64decode(handed.tracking_token + "==")) * 8 == 128
    assert handed.tracking_token != installation.tracking_token


@pytest.mark.parametrize(("changes", "status"), OTHERWISE)
async def test_a_link_for_something_else_changes_nothing(
    installation: Installation, http: httpx.AsyncClient, handed: Handed, changes: dict[str, Any], status: int
) -> None:
    tried = Tried()
    await use_otherwise(installation, http, handed, changes, status, tried)
    assert not tried.faults


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_link_acts_once_and_on_its_own_request_alone(
    installation: Installation, http: httpx.AsyncClient, handed: Handed, action: LinkAction
) -> None:
    tried = Tried()
    await use_again(installation, http, handed, action, tried)
    assert not tried.faults


async def test_a_link_that_only_shows_does_not_act(installation: Installation, http: httpx.AsyncClient, handed: Handed) -> None:
    tried = Tried()
    await only_look(installation, http, handed, tried)
    assert not tried.faults


@pytest.mark.parametrize("act", TRACKING_ACTS)
async def test_a_tracking_token_opens_nothing_in_another_town(
    installation: Installation, http: httpx.AsyncClient, handed: Handed, act: str
) -> None:
    tried = Tried()
    await use_in_another_town(installation, http, handed, act, tried)
    assert not tried.faults


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
