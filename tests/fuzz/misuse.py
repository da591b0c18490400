"""Good tokens put to a bad use: a link for something else, a link again, a tracking token in another town."""

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import httpx

from shared.actions.link import LinkAction
from tests.fuzz.installation import NOON, Handed, Installation, hand_over, mint
from tests.fuzz.tried import Tried

_OTHER_SECRET: Final = base64.b64encode(bytes(32)).decode()
OTHERWISE: Final[tuple[tuple[Mapping[str, Any], int], ...]] = (
    ({"expires_at": NOON - timedelta(seconds=1)}, 410),
    ({"secret": _OTHER_SECRET}, 404),
    ({"authority": "saint-aubrin"}, 404),
    ({"authority": "nulle-part"}, 404),
    ({"agent": "proprete@rivemont.example"}, 409),
    ({"agent": "usager@courriel.example"}, 409),
    ({"version": 1}, 409),
    ({"version": 3}, 409),
)
"""How a link differs from the good one, and what whoever uses it is answered."""
ACTIONS: Final[tuple[LinkAction, ...]] = ("take_charge", "ask", "answer", "transfer", "resolve")
TRACKING_ACTS: Final = ("ajouter", "rouvrir", "retirer", "effacer")
_FORM: Final = {"text": "Bonjour.", "target": "proprete"}


async def misuse_all(installation: Installation, http: httpx.AsyncClient, tried: Tried) -> None:
    """Try all of it, on requests that are handed over for this."""
    victim = await hand_over(installation.apps, service="voirie")
    for changes, status in OTHERWISE:
        await use_otherwise(installation, http, victim, changes, status, tried)
    await only_look(installation, http, victim, tried)
    for act in TRACKING_ACTS:
        await use_in_another_town(installation, http, victim, act, tried)
    for action in ACTIONS:
        await use_again(installation, http, await hand_over(installation.apps, service="voirie"), action, tried)


async def life(installation: Installation, handed: Handed) -> Any:
    """The request as the router knows it. Any: its state."""
    return await installation.apps["router"].shell.find_state(handed.request_id)


async def use_otherwise(
    installation: Installation, http: httpx.AsyncClient, handed: Handed, changes: Mapping[str, Any], status: int, tried: Tried
) -> None:
    """Act by a link that differs from the good one in `changes`."""
    told, before = f"a link with another {next(iter(changes))}", await life(installation, handed)
    link = mint(handed.request_id, "take_charge", **changes)
    answer = await http.post(f"{installation.url('router')}/a/{link}")
    tried.expect(told, seen=answer.status_code, wanted=status)
    tried.unchanged(told, before, await life(installation, handed))


async def only_look(installation: Installation, http: httpx.AsyncClient, handed: Handed, tried: Tried) -> None:
    """Act by a link that only shows."""
    told, before = "a link that only shows", await life(installation, handed)
    answer = await http.post(f"{installation.url('router')}/a/{mint(handed.request_id, 'view')}", data=_FORM)
    tried.expect(told, seen=answer.status_code, wanted=405)
    tried.unchanged(told, before, await life(installation, handed))


async def use_again(
    installation: Installation, http: httpx.AsyncClient, handed: Handed, action: LinkAction, tried: Tried
) -> None:
    """Act by a good link, then again, to the same end and to another."""
    neighbour = Handed(installation.request_id, "")
    beside, url = await life(installation, neighbour), f"{installation.url('router')}/a/{mint(handed.request_id, action)}"
    first = await http.post(url, data=_FORM)
    after = await life(installation, handed)
    again, otherwise = await http.post(url, data=_FORM), await http.post(url, data=_FORM | {"text": "Autre chose."})
    tried.expect(f"a link to {action}", seen=(first.status_code, after.version > 2), wanted=(200, True))
    for told, answer, status in (("again", again, 200), ("again, to another end", otherwise, 409)):
        seen = answer.status_code, "déjà" in answer.text
        tried.expect(f"a link to {action}, {told}", seen=seen, wanted=(status, True))
    tried.unchanged(f"a link to {action}, used again,", after, await life(installation, handed))
    tried.unchanged(f"a link to {action} another request", beside, await life(installation, neighbour))


async def use_in_another_town(
    installation: Installation, http: httpx.AsyncClient, handed: Handed, act: str, tried: Tried
) -> None:
    """Look and act by a good tracking token at the address of another authority."""
    shell = installation.apps["intake"].shell
    before = await shell.find_state(handed.request_id)
    for town in ("saint-aubrin", "nulle-part"):
        page = f"{installation.url('intake')}/{town}/suivi/{handed.tracking_token}"
        tried.expect(f"looking in {town}", seen=(await http.get(page)).status_code, wanted=404)
        answer = await http.post(f"{page}/{act}", data={"text": "Bonjour."})
        tried.expect(f"{act} in {town}", seen=answer.status_code, wanted=404)
    tried.unchanged(f"{act} in another town", before, await shell.find_state(handed.request_id))
