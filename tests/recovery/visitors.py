"""People who come while the log is ahead of the database: who acts, or asks for what it forgot, is told to come back.

Who asks for something new is heard.
"""

import uuid
from urllib.parse import urljoin
from uuid import UUID

import httpx

from deploy.demo.pages import Form, WebPage, read_page
from tests.chaos.load import CANARY
from tests.judge.letters import letter_of
from tests.scene import Scene


async def come_meanwhile(scene: Scene) -> None:
    """A usager posts and adds a message, an agent clicks. Raises AssertionError when one is not answered as promised."""
    async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
        url = await _ask_for_something_new(http, scene)
        shown = read_page(await http.get(url))
        form = next(form for form in shown.forms if form.action.endswith("/ajouter"))
        await _is_told_to_come_back(http, shown, form, {"text": f"Le banc de {CANARY} est celui de gauche."})
        await _is_told_to_come_back(http, *await _find_agents_form(http, scene), {})
        for page in await _find_forgotten_pages(http, scene):
            answer = await http.get(page)
            assert answer.status_code == 503, f"a forgotten request is said not to be there: {answer.status_code} {page}"


async def _ask_for_something_new(http: httpx.AsyncClient, scene: Scene) -> str:
    """Post a request, which is accepted; return the address of its tracking page."""
    body = {
        "authority": "rivemont",
        "channel": "app",
        "service": "voirie",
        "name": f"Dominique {CANARY}",
        "email": f"entre-temps.{CANARY}@courriel.example",
        "text": f"Le banc devant chez {CANARY} est cassé.",
    }
    answer = await http.post(f"{scene.town.url('intake')}/v1/requests", json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
    assert answer.status_code == 201, f"a new request is not taken: {answer.status_code} {answer.text[:300]}"
    scene.history.accepted.add(UUID(answer.json()["request_id"]))
    return str(answer.json()["tracking_url"])


async def _find_agents_form(http: httpx.AsyncClient, scene: Scene) -> tuple[WebPage, Form]:
    """Return a page of an agent, by the newest mail that leads to something to do, and what it offers.

    Most of the newest tell of requests that the database does not know any more; the links of the oldest ran out.
    """
    mails = (await http.get(f"{scene.sink.url}/api/mails")).json()
    for mail in reversed(mails):
        whole = (await http.get(f"{scene.sink.url}/api/mails/{mail['id']}")).json()
        link = next((link for link in whole["links"] if "/a/" in link), None)
        if link is None:
            continue
        page = read_page(await http.get(link))
        if form := next((form for form in page.forms if form.method == "post"), None):
            return page, form
    raise AssertionError(f"none of {len(mails)} mails leads to something that an agent could do")


async def _find_forgotten_pages(http: httpx.AsyncClient, scene: Scene) -> list[str]:
    """Return where the usager and the agent of the newest request are led by their mails: it came after the backup."""
    mails = {letter_of(mail["message_id"]): mail["id"] for mail in (await http.get(f"{scene.sink.url}/api/mails")).json()}
    assigned = {request: id for (request, name), id in mails.items() if name.startswith("assignment.")}
    received = {request: id for (request, name), id in mails.items() if name == "receipt" and request in assigned}
    newest = next(reversed(received))
    found: list[str] = []
    for id, path in ((received[newest], "/suivi/"), (assigned[newest], "/a/")):
        links = (await http.get(f"{scene.sink.url}/api/mails/{id}")).json()["links"]
        found.append(next(link for link in links if path in link))
    return found


async def _is_told_to_come_back(http: httpx.AsyncClient, page: WebPage, form: Form, typed: dict[str, str]) -> None:
    answer = await http.post(urljoin(page.url, form.action), data=form.fields | typed)
    assert answer.status_code == 503, f"{form.action}: {answer.status_code} {read_page(answer).text[:300]}"
    assert int(answer.headers["retry-after"]) > 0
