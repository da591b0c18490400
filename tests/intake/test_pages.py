"""The public site as a browser without JavaScript uses it, on the real application with Kafka away."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake.domain.request import TrackedRequest
from services.intake.reference import parse_reference
from services.intake.store import find_key
from shared.app import App
from shared.delivery.values import Input
from shared.events import handling
from shared.events.content import AgentAct
from shared.vault.seal import Vault
from tests.intake.conftest import KEYS, NOON

pytestmark = pytest.mark.integration
FORM = "/rivemont/demande/voirie?category=voirie-degradee"
POTHOLE = {
    "category": "voirie-degradee",
    "answer-lieu": "12 rue des Lilas",
    "text": "Un nid-de-poule.",
    "email": "solene@courriel.example",
}


def hidden(page: httpx.Response) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))


def fields_of(page: httpx.Response) -> set[str]:
    return set(re.findall(r'name="([\w-]+)"', page.text.partition("<main")[2]))


async def send(client: httpx.AsyncClient, path: str = FORM, **changes: str) -> httpx.Response:
    page = await client.get(path)
    return await client.post(path.partition("?")[0], data=hidden(page) | POTHOLE | changes)


async def ask(client: httpx.AsyncClient, **changes: str) -> str:
    """Send a request and return the path of its tracking page."""
    answer = await send(client, **changes)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


@pytest.mark.parametrize(
    "path",
    [
        "/", "/rivemont", "/saint-aubrin", "/rivemont/demande", "/rivemont/demande/voirie", "/rivemont/demande/maire", FORM,
        "/rivemont/demande/culture", "/rivemont/charte", "/rivemont/mentions", "/rivemont?lang=en", f"{FORM}&lang=en",
    ],
)  # fmt: skip
async def test_every_page_opens(client: httpx.AsyncClient, path: str) -> None:
    page, head = await client.get(path), await client.head(path)

    assert page.status_code == head.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


async def test_home_lists_services_and_elected_officials(client: httpx.AsyncClient) -> None:
    page = await client.get("/rivemont")

    assert 'href="/rivemont/demande/voirie"' in page.text
    assert 'href="/rivemont/demande/maire"' in page.text


async def test_a_category_brings_its_questions(client: httpx.AsyncClient) -> None:
    without = fields_of(await client.get("/rivemont/demande/voirie"))
    with_category = fields_of(await client.get("/rivemont/demande/voirie?category=danger-voirie"))

    assert with_category - without == {"answer-lieu", "answer-blesse"}


async def test_a_sent_form_leads_to_its_reference_and_delay(client: httpx.AsyncClient) -> None:
    answer = await send(client)
    page = await client.get(answer.headers["location"])

    shown = re.search(r'class="reference">([^<]+)<', page.text)
    assert shown and parse_reference(shown[1]) == shown[1]
    assert "2026" in page.text and 'datetime="2026-12-0' in page.text
    assert "Un nid-de-poule." in page.text


async def test_a_double_click_makes_one_request(client: httpx.AsyncClient, intake: App[TrackedRequest]) -> None:
    page = await client.get(FORM)
    before = await intake.pool.fetchval("SELECT count(*) FROM intake.tracking")

    first, second = [await client.post("/rivemont/demande/voirie", data=hidden(page) | POTHOLE) for _ in range(2)]

    assert first.headers["location"] == second.headers["location"]
    assert await intake.pool.fetchval("SELECT count(*) FROM intake.tracking") == before + 1


async def test_the_same_form_with_another_text_says_that_it_was_sent(client: httpx.AsyncClient) -> None:
    page = await client.get(FORM)
    await client.post("/rivemont/demande/voirie", data=hidden(page) | POTHOLE)

    other = await client.post("/rivemont/demande/voirie", data=hidden(page) | POTHOLE | {"text": "Autre chose"})

    assert other.status_code == 409
    assert "Autre chose" in other.text
    assert hidden(other)["ticket"] != hidden(page)["ticket"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": ""}, "text"),
        ({"email": ""}, "email"),
        ({"email": "nulle part"}, "email"),
        ({"phone": "abc"}, "phone"),
        ({"answer-lieu": ""}, "answer-lieu"),
        ({"name": "x" * 201}, "name"),
        ({"text": "é" * 20_001}, "text"),
    ],
)
async def test_a_wrong_field_is_shown_and_nothing_typed_is_lost(
    client: httpx.AsyncClient, changes: Mapping[str, str], field: str
) -> None:
    page = await send(client, **changes)

    assert page.status_code == 422
    assert f'href="#field-{field}"' in page.text
    assert "<title>Erreur" in page.text
    assert "12 rue des Lilas" in page.text or "answer-lieu" in changes


async def test_who_fills_the_hidden_field_may_try_again(client: httpx.AsyncClient) -> None:
    page = await send(client, website="https://spam.example")

    assert page.status_code == 422
    assert "Un nid-de-poule." in page.text


async def test_a_date_is_three_fields(client: httpx.AsyncClient) -> None:
    naissance = {"category": "acte", "answer-type": "naissance", "answer-date_month": "12", "answer-date_year": "1990"}
    path = "/rivemont/demande/etat-civil?category=acte"

    wrong = await send(client, path, **naissance | {"answer-date_day": "31", "answer-date_month": "2"})
    right = await send(client, path, **naissance | {"answer-date_day": "5"})

    assert wrong.status_code == 422 and 'href="#field-answer-date"' in wrong.text
    assert right.status_code == 303


async def test_a_service_that_does_not_exist_is_explained_and_can_be_written_to(client: httpx.AsyncClient) -> None:
    page = await client.get("/rivemont/demande/piscine")
    sent = await send(client, "/rivemont/demande/piscine", category="")

    assert page.status_code == 404
    assert "n’existe pas" in unescape(page.text)
    assert sent.status_code == 303


@pytest.mark.parametrize(
    "path", ["/nulle-part", "/rivemont/suivi/AAAAAAAAAAAAAAAAAAAAAA", "/rivemont/suivi/x", "/rivemont/demande/é"]
)
async def test_a_wrong_address_says_what_to_do(client: httpx.AsyncClient, path: str) -> None:
    page = await client.get(path)

    assert page.status_code == 404
    assert "Que faire" in page.text


async def test_a_token_opens_nothing_under_another_authority(client: httpx.AsyncClient) -> None:
    path = await ask(client)

    assert (await client.get(path.replace("rivemont", "saint-aubrin"))).status_code == 404


async def test_information_is_added(client: httpx.AsyncClient) -> None:
    path = await ask(client)
    ticket = hidden(await client.get(path))

    for _ in range(2):  # a double click
        answer = await client.post(f"{path}/ajouter", data=ticket | {"text": "Il a <b>grandi</b>."})
    page = await client.get(answer.headers["location"])

    assert page.text.count("Il a &lt;b&gt;grandi&lt;/b&gt;.") == 1


async def test_a_withdrawal_is_confirmed_and_asked_once(client: httpx.AsyncClient) -> None:
    path = await ask(client)
    confirmation = await client.get(f"{path}/retirer")

    done = await client.post(f"{path}/retirer", data=hidden(confirmation))
    again = await client.post(f"{path}/retirer", data={"ticket": "another-ticket-1234"})

    assert done.headers["location"] == f"{path}?fait=retrait"
    assert again.status_code == 409
    assert "déjà demandé" in again.text


async def test_reopening_needs_a_settled_request(client: httpx.AsyncClient) -> None:
    path = await ask(client)

    page = await client.post(f"{path}/rouvrir", data={"text": "Non."})

    assert page.status_code == 409
    assert "rien à rouvrir" in unescape(page.text)


async def test_what_an_agent_writes_to_another_service_is_not_shown(
    client: httpx.AsyncClient, intake: App[TrackedRequest]
) -> None:
    path = await ask(client)
    request_id = await intake.pool.fetchval("SELECT request_id FROM intake.tracking ORDER BY request_id DESC LIMIT 1")
    key = await find_key(intake.pool, Vault.from_text(KEYS), request_id)
    assert key is not None
    note, answer = (key.seal(request_id, AgentAct(agent="x@rivemont.example", text=text)) for text in ("Il insiste.", "Réparé."))
    told: dict[str, Any] = {"request_id": request_id, "authority": "rivemont", "at": NOON, "service": "urbanisme"}
    moved = handling.RequestTransferred(**told, version=3, status="assigned", from_service="voirie", reason="agent", sealed=note)
    done = handling.RequestAnswered(**told, version=4, status="answered", elapsed_working_seconds=60, sealed=answer)

    await intake.shell.run([Input(request_id, "rivemont", one, fact=True) for one in (moved, done)], lane="log")
    page = await client.get(path)

    assert "Réparé." in page.text
    assert "Transmise à" in page.text and "Il insiste." not in page.text


async def test_erased_means_unreadable(client: httpx.AsyncClient, intake: App[TrackedRequest]) -> None:
    path = await ask(client, text="Secret de Polichinelle")
    request_id = await intake.pool.fetchval("SELECT request_id FROM intake.tracking ORDER BY request_id DESC LIMIT 1")

    done = await client.post(f"{path}/effacer", data=hidden(await client.get(f"{path}/effacer")))
    page = await client.get(done.headers["location"])

    assert "Effacée" in page.text and "Polichinelle" not in page.text
    assert await intake.pool.fetchval("SELECT count(*) FROM vault.request_key WHERE request_id = $1", request_id) == 0
    assert (await client.post(f"{path}/ajouter", data={"text": "Encore"})).status_code == 409


ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=60)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_no_text_makes_the_form_fail(client: httpx.AsyncClient, data: st.DataObject) -> None:
    names = ["name", "email", "phone", "text", "category", "ticket", "answer-lieu", "answer-date_day", "answer-date_year"]
    typed = data.draw(st.dictionaries(st.sampled_from(names), ANY_TEXT))
    category = data.draw(st.sampled_from(["", "acte", "voirie-degradee", "permis-construire"]))

    answer = await client.post("/rivemont/demande", data=POTHOLE | {"category": category} | typed)

    assert answer.status_code in (303, 400, 409, 422)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=200),
    kind=st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]),
)
async def test_no_bytes_make_the_form_fail(client: httpx.AsyncClient, content: bytes, kind: str) -> None:
    answer = await client.post("/rivemont/demande/voirie", content=content, headers={"content-type": kind})

    assert answer.status_code in (400, 415, 422)
