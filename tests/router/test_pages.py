"""The agents' pages on a real PostgreSQL: what each link shows and does."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.routing import Route

from shared.actions.link import LinkAction, Links
from shared.events import requests
from shared.events.content import AgentAct, Content
from tests.router.conftest import CONTENT, MAILBOX, MONDAY, Office

pytestmark = pytest.mark.integration
SEEN = 2
"""The version of a request that was assigned and nothing else."""


async def post(office: Office, token: str, **fields: str) -> Any:
    return await office.http.post(f"/a/{token}", data=fields)


def tokens_in(page: str) -> list[str]:
    """Return the tokens that a page links to."""
    return re.findall(r'(?:href|action)="([A-Za-z0-9_-]{100,})"', page)


# --- what is shown -------------------------------------------------------------------------------------------------------


async def test_a_link_shows_the_request_in_words(office: Office) -> None:
    request_id = await office.receive()

    page = await office.http.get(f"/a/{office.token(request_id, 'take_charge')}")

    assert page.status_code == 200
    for words in (
        "K7M2\u00a0Q9XC", "Voirie et éclairage public", "À prendre en charge", "Lampadaire en panne", "Formulaire du site",
        "Jeanne Rivoire", "jeanne@example.org", "06 00 00 00 00", "le lampadaire devant le 12 est éteint", "Numéro du lampadaire",
        "RL-0042", "lundi 30\u00a0novembre 2026 à 10\u00a0h", "L’usager a choisi ce service.", "de temps ouvré",
    ):  # fmt: skip
        assert words in page.text, words


async def test_the_title_and_the_addresses_name_nobody(office: Office) -> None:
    request_id = await office.receive()

    page = (await office.http.get(f"/a/{office.token(request_id, 'answer')}")).text

    title = page.split("<title>")[1].split("</title>")[0]
    assert title == "Répondre à l’usager – K7M2\u00a0Q9XC – Ville de Rivemont-sur-Loue"
    assert all(name not in link for link in tokens_in(page) for name in ("jeanne", "voirie", "Rivoire"))


@pytest.mark.parametrize("action, field", [("ask", "text"), ("answer", "text"), ("transfer", "target"), ("resolve", "text")])
async def test_the_form_has_the_fields_of_its_action(office: Office, action: LinkAction, field: str) -> None:
    request_id = await office.receive()

    page = (await office.http.get(f"/a/{office.token(request_id, action)}")).text

    assert f'name="{field}"' in page
    assert "Autres actions" in page and len(tokens_in(page)) == 4


async def test_a_transfer_offers_the_open_services_but_the_own(office: Office) -> None:
    request_id = await office.receive()

    page = (await office.http.get(f"/a/{office.token(request_id, 'transfer')}")).text

    assert '<option value="proprete">' in page
    assert '<option value="voirie">' not in page and '<option value="culture">' not in page


async def test_a_view_link_shows_and_offers_nothing(office: Office) -> None:
    request_id = await office.receive()
    token = office.token(request_id, "view", version=0)

    page = await office.http.get(f"/a/{token}")

    assert "le lampadaire devant le 12" in page.text
    assert tokens_in(page.text) == [] and "<form" not in page.text
    refused = await post(office, token)
    assert refused.status_code == 405 and refused.headers["allow"] == "GET, HEAD"


async def test_english_is_spoken_to_who_asks_for_it(office: Office) -> None:
    request_id = await office.receive()

    page = await office.http.get(f"/a/{office.token(request_id, 'answer')}?lang=en")

    assert page.headers["content-language"] == "en"
    assert "Answer the person" in page.text and "Répondre" not in page.text


async def test_an_overdue_request_says_by_how_much(office: Office) -> None:
    request_id = await office.receive()
    office.set_clock(MONDAY + timedelta(days=8))

    page = await office.http.get(f"/a/{office.token(request_id, 'take_charge')}")

    assert "Retard" in page.text


# --- what is done --------------------------------------------------------------------------------------------------------


async def test_taking_charge_happens_at_once_and_offers_what_comes_next(office: Office) -> None:
    request_id = await office.receive()

    page = await post(office, office.token(request_id, "take_charge"))

    assert page.status_code == 200 and "Vous avez pris la demande en charge" in page.text
    life = await office.life(request_id)
    assert (life.status, life.version) == ("in_charge", 3)
    offered = [office.links.read(token, MONDAY) for token in tokens_in(page.text)]
    assert {link.action for link in offered} == {"ask", "answer", "transfer", "resolve"}
    assert {(link.version, link.agent, link.request_id) for link in offered} == {(3, MAILBOX, request_id)}


async def test_an_answer_is_sealed_with_who_gave_it(office: Office) -> None:
    request_id = await office.receive()

    page = await post(office, office.token(request_id, "answer"), text="C’est réparé.\r\nBonne journée\x07 !")

    assert "Votre réponse est enregistrée" in page.text and "par courriel" in page.text
    life = await office.life(request_id)
    taken, answered = life.history[-2:]
    key = office.keys[request_id]
    assert key.open(request_id, str(taken.sealed), AgentAct) == AgentAct(agent=MAILBOX)
    assert key.open(request_id, str(answered.sealed), AgentAct) == AgentAct(agent=MAILBOX, text="C’est réparé.\nBonne journée !")
    rows = repr(await office.everything())
    assert "réparé" not in rows and MAILBOX not in rows


async def test_who_gave_no_mail_has_to_be_called(office: Office) -> None:
    request_id = await office.receive(content=CONTENT.model_copy(update={"email": None}))

    page = await post(office, office.token(request_id, "ask"), text="Quel lampadaire ?")

    assert "appelez-le" in page.text


async def test_a_transfer_ends_the_agents_say(office: Office) -> None:
    request_id = await office.receive()
    old = office.token(request_id, "answer")

    page = await post(office, office.token(request_id, "transfer"), target="proprete", text="Pour vous.")

    assert "La demande est transférée" in page.text and tokens_in(page.text) == []
    late = await post(office, old, text="Trop tard")
    assert late.status_code == 409
    assert "La demande n’est plus à votre service." in late.text and "par voirie@rivemont.example" in late.text
    assert "Trop tard" in late.text and tokens_in(late.text) == []
    minted_now = await post(office, office.token(request_id, "resolve", version=3))
    assert minted_now.status_code == 409
    assert (await office.life(request_id)).owner == "proprete"
    theirs = await office.http.get(f"/a/{office.token(request_id, 'answer', version=3, agent='proprete@rivemont.example')}")
    assert "Pour vous." in theirs.text


async def test_resolving_closes(office: Office) -> None:
    request_id = await office.receive()

    page = await post(office, office.token(request_id, "resolve"))

    assert "La demande est close" in page.text and tokens_in(page.text) == []
    assert (await office.life(request_id)).status == "resolved"


# --- what is not done ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["ask", "answer"])
@pytest.mark.parametrize("text", ["", "   \r\n ", "\u200b", "\x00\x01".replace("\x00", "")])
async def test_no_text_is_asked_for_again(office: Office, action: LinkAction, text: str) -> None:
    request_id = await office.receive()

    page = await post(office, office.token(request_id, action), text=text)

    assert page.status_code == 422 and "Écrivez le texte destiné à l’usager." in page.text
    assert "<title>Erreur" in page.text
    assert (await office.life(request_id)).version == SEEN


async def test_a_text_that_is_too_long_is_kept_and_not_sent(office: Office) -> None:
    request_id = await office.receive()
    text = "😀" * 10_001

    page = await post(office, office.token(request_id, "answer"), text=text)

    assert page.status_code == 422 and "10 000 caractères au plus" in page.text and text in page.text
    assert (await post(office, office.token(request_id, "answer"), text=text[1:])).status_code == 200


@pytest.mark.parametrize("target", ["", "voirie", "culture", "no-such-service", "../x"])
async def test_a_transfer_needs_an_open_service(office: Office, target: str) -> None:
    request_id = await office.receive()

    page = await post(office, office.token(request_id, "transfer"), target=target, text="Mot")

    assert page.status_code == 422 and "Choisissez le service" in page.text and "Mot</textarea>" in page.text
    assert (await office.life(request_id)).owner == "voirie"


async def test_the_same_again_says_that_it_is_done_and_when(office: Office) -> None:
    request_id = await office.receive()
    token = office.token(request_id, "answer")
    await post(office, token, text="Voilà")
    office.set_clock(MONDAY + timedelta(hours=2))
    before = await office.everything()

    again, shown = await post(office, token, text="Voilà"), await office.http.get(f"/a/{token}")

    for page in (again, shown):
        assert page.status_code == 200
        assert (
            "C’est déjà fait" in page.text and "lundi 23\u00a0novembre 2026 à 10\u00a0h" in page.text and "Répondue" in page.text
        )
    assert await office.everything() == before


async def test_another_text_through_a_used_link_is_kept_in_sight(office: Office) -> None:
    request_id = await office.receive()
    token = office.token(request_id, "answer")
    await post(office, token, text="Voilà")

    page = await post(office, token, text="Voilà, et encore ceci")

    assert page.status_code == 409 and "Ce lien a déjà servi" in page.text
    assert "Voilà, et encore ceci</textarea>" in page.text
    fresh = page.text.split('action="')[1].split('"')[0]
    assert (await post(office, fresh, text="Voilà, et encore ceci")).status_code == 200
    assert [entry.what for entry in (await office.life(request_id)).history[2:]] == ["taken_in_charge", "answered", "answered"]


async def test_twice_at_the_same_moment_counts_once(office: Office) -> None:
    request_id = await office.receive()
    token = office.token(request_id, "answer")

    pages = await asyncio.gather(*(post(office, token, text="Voilà") for _ in range(8)))

    assert sorted("Votre réponse est enregistrée" in page.text for page in pages) == [False] * 7 + [True]
    assert (await office.life(request_id)).version == 4


async def test_what_changed_meanwhile_is_told_and_the_text_is_kept(office: Office) -> None:
    request_id = await office.receive()
    stale = office.token(request_id, "answer")
    added = requests.InformationAdded(request_id=request_id, authority="rivemont", at=MONDAY, sealed="QUJD")
    await office.take(request_id, added)

    page = await post(office, stale, text="Ma réponse")

    assert page.status_code == 409 and "La demande a changé" in page.text and "Message de l’usager" in page.text
    assert "Ma réponse</textarea>" in page.text
    assert (await office.life(request_id)).status == "assigned"
    fresh = page.text.split('action="')[1].split('"')[0]
    assert (await post(office, fresh, text="Ma réponse")).status_code == 200


async def test_a_withdrawn_request_is_no_longer_worked_on(office: Office) -> None:
    request_id = await office.receive()
    await office.take(request_id, requests.WithdrawalAsked(request_id=request_id, authority="rivemont", at=MONDAY))

    page = await post(office, office.token(request_id, "answer"), text="Ma réponse")

    assert page.status_code == 409 and "L’usager a retiré sa demande" in page.text
    assert "Votre texte, qui n’a pas été envoyé" in page.text and "Ma réponse" in page.text


async def test_an_erased_request_says_so(office: Office) -> None:
    request_id = await office.receive()
    await office.erase(request_id)
    token = office.token(request_id, "answer")

    for page in (await office.http.get(f"/a/{token}"), await post(office, token, text="Ma réponse")):
        assert page.status_code == 410 and "sont effacées" in page.text
        assert "Jeanne" not in page.text and tokens_in(page.text) == []


async def test_between_the_end_of_the_key_and_the_word_of_it_nothing_is_done(office: Office) -> None:
    request_id = await office.receive()
    await office.admin.execute("DELETE FROM vault.request_key WHERE request_id = $1", request_id)

    page = await post(office, office.token(request_id, "answer"), text="Ma réponse")

    assert page.status_code == 410 and "Ma réponse" in page.text
    assert (await office.life(request_id)).version == SEEN


# --- links that open nothing ---------------------------------------------------------------------------------------------


async def test_expired(office: Office) -> None:
    request_id = await office.receive()
    token = office.token(request_id, "answer", expires_at=MONDAY + timedelta(seconds=1))
    office.set_clock(MONDAY + timedelta(seconds=1))
    before = await office.everything()

    for page in (await office.http.get(f"/a/{token}"), await post(office, token, text="x")):
        assert page.status_code == 410
        assert "sept jours" in page.text and "le plus récent" in page.text and "Ville de Rivemont" in page.text
    assert await office.everything() == before


async def test_what_is_no_link_opens_nothing(office: Office) -> None:
    request_id = await office.receive()
    good = office.token(request_id, "resolve")
    altered = ("A" if good[0] != "A" else "B") + good[1:]
    foreign = Links(bytes(32)).mint(office.links.read(good, MONDAY))
    unknown = office.token(uuid4(), "resolve")
    elsewhere = office.token(request_id, "resolve", authority="saint-aubrin")
    nowhere = office.token(request_id, "resolve", authority="no-such-town")
    before = await office.everything()

    for token in (altered, foreign, unknown, elsewhere, nowhere, good[:-1], good + "A", "x", "%20", "é", "a" * 5000):
        for page in (await office.http.get(f"/a/{token}"), await post(office, token)):
            assert page.status_code == 404 and "Ce lien n’existe pas" in page.text, token
    assert await office.everything() == before


async def test_a_link_of_one_town_does_nothing_in_another(office: Office) -> None:
    request_id = await office.receive("mairie", authority="saint-aubrin")

    page = await post(office, office.token(request_id, "resolve", authority="rivemont"))

    assert page.status_code == 404
    assert (await office.life(request_id)).status == "assigned"


# --- looking changes nothing ---------------------------------------------------------------------------------------------


async def test_no_route_changes_anything_when_it_is_only_looked_at(office: Office) -> None:
    """Scanners of mails follow every link: GET and HEAD on every route, with every kind of link."""
    request_id = await office.receive()
    used = office.token(request_id, "take_charge")
    await post(office, used)
    actions: tuple[LinkAction, ...] = ("view", "take_charge", "ask", "answer", "transfer", "resolve")
    tokens = [office.token(request_id, action, version=version) for action in actions for version in (0, 2, 3, 9)]
    tokens += [used, "altered", office.token(request_id, "resolve", agent="x@y.fr"), office.token(UUID(int=1), "resolve")]
    routes = [route for route in office.app.http.routes if isinstance(route, Route)]
    before = await office.everything()

    looked = 0
    for route in routes:
        addresses = [route.path.replace("{token}", token) for token in tokens] if "{token}" in route.path else [route.path]
        for address in addresses:
            shown = await office.http.get(address)
            peeked = await office.http.head(address)
            assert shown.status_code < 500 and peeked.status_code in (shown.status_code, 405)
            assert peeked.content == b""
            if "{token}" in route.path:
                assert peeked.status_code == shown.status_code
            looked += 1
    assert looked > len(tokens)
    assert await office.everything() == before


async def test_a_form_may_hold_anything(office: Office) -> None:
    request_id = await office.receive(
        content=Content(
            name="<script>alert(1)</script>", email="a@b.fr", phone=None, text="<img src=x onerror=alert(2)>{{ 7*7 }}",
            answers={"<b>": "<i>"}, tracking_token="t",
        )
    )  # fmt: skip
    token = office.token(request_id, "answer")
    headers = {"content-type": "application/x-www-form-urlencoded"}

    for body in (b"", b"text", b"=&=&", b"text=%00", b"text=%ff", b"text=a&text=b", b"&" * 2000, b"text=%F0%9F%98%80" * 3000):
        assert (await office.http.post(f"/a/{token}", content=body, headers=headers)).status_code < 500
    assert (await office.http.post(f"/a/{token}", files={"text": ("a.txt", b"x")})).status_code < 500
    assert (
        await office.http.post(f"/a/{token}", content=b"\xff", headers={"content-type": "multipart/form-data"})
    ).status_code == 400
    assert (await office.http.post(f"/a/{token}", content=b"text=" + b"a" * 300_000, headers=headers)).status_code == 413
    page = (await office.http.get(f"/a/{office.token(request_id, 'answer', version=9)}")).text
    assert "<script" not in page and "<img" not in page and "&lt;script&gt;" in page and "{{ 7*7 }}" in page


@pytest.mark.parametrize("action", ["take_charge", "ask", "answer", "transfer", "resolve", "view"])
async def test_every_state_has_its_page(office: Office, action: LinkAction) -> None:
    """Each action's link, followed in each state of the request, at an old and at the present version."""
    for path in ([], ["take_charge"], ["ask"], ["answer"], ["resolve"], ["transfer"]):
        request_id = await office.receive()
        for step in path:
            await post(office, office.token(request_id, step), text="x", target="ccas")  # type: ignore[arg-type]  # an action
        for version in (SEEN, (await office.life(request_id)).version):
            page = await office.http.get(f"/a/{office.token(request_id, action, version=version)}")
            assert page.status_code == 200 and "K7M2\u00a0Q9XC" in page.text
