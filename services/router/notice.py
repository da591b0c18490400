"""What a page says first: what was done, or what happened meanwhile. Texts are message ids."""

from dataclasses import dataclass
from typing import Literal

from services.router.sheet import Line, Sheet
from services.router.wording import DONE, DONE_OF, REFUSAL
from shared.actions.link import Link
from shared.events.handling import Action
from shared.pages.problem import N_


@dataclass(frozen=True, slots=True)
class Notice:
    """A box at the head of the page. `lines` are the lines of the history that it speaks of."""

    kind: Literal["info", "success", "warning", "error"]
    title: str
    text: str = ""
    lines: tuple[Line, ...] = ()


def done(action: Action, sheet: Sheet) -> Notice:
    """Say that an action is done, and how the usager hears of it."""
    text = ""
    if action in ("ask", "answer"):
        by_mail = sheet.content is not None and sheet.content.email is not None
        text = N_("L’usager la reçoit par courriel.") if by_mail else N_("L’usager n’a pas donné de courriel : appelez-le.")
    if action == "transfer":
        text = N_("L’autre service reçoit la demande dans sa boîte ; vos liens ne permettent plus d’agir.")
    return Notice("success", DONE[action], text)


def refused(code: str, link: Link, sheet: Sheet) -> Notice:
    """Say why an action isn't possible: it is done already by the same agent, or what happened since they were written to."""
    since = sheet.since(link.version)
    if code == "erased":
        return Notice("error", REFUSAL["erased"])
    mine = _done_by(link, since)
    if mine is not None:
        return Notice(
            "success", N_("C’est déjà fait"), N_("Cette action a été enregistrée ; rien n’a changé cette fois."), (mine,)
        )
    text = N_("Voici ce qui s’est passé entre-temps :") if since else ""
    return Notice("warning", REFUSAL[code], text, since)


def used(link: Link, sheet: Sheet) -> Notice:
    """Say that the link was used before, with another text or target."""
    mine = _done_by(link, sheet.since(link.version))
    text = N_("Ce que vous venez d’envoyer n’a pas été pris en compte.")
    return Notice("warning", N_("Ce lien a déjà servi"), text, (mine,) if mine else sheet.since(link.version))


def _done_by(link: Link, since: tuple[Line, ...]) -> Line | None:
    """Return the line that the link's own action left."""
    if link.action == "view":
        return None
    what = DONE_OF[link.action]
    return next((line for line in since if line.what == what and line.agent == link.agent), None)
