"""The private page of a request: state and history, and what its usager can still do."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake.contents import content_rows
from services.intake.domain.refusal import Refused
from services.intake.domain.request import OPEN, SETTLED
from services.intake.domain.validation import clean_text
from services.intake.erase import erase
from services.intake.form import new_ticket, read_fields, ticket_of
from services.intake.site import Site, unavailable
from services.intake.timeline import STATUSES, timeline
from services.intake.tracking import Tracked, find_tracked
from shared.delivery.core import DigestMismatch
from shared.delivery.errors import Unavailable
from shared.pages.problem import N_, Problem

_LONGEST_MESSAGE: Final = 10_000
_EMPTY: Final = N_("Écrivez votre message.")
_TOO_LONG: Final = N_("Votre message est trop long : 10 000 caractères au plus.")
_TWICE: Final = N_("Ce formulaire a déjà été envoyé, avec un autre texte. Pour envoyer aussi celui-ci, envoyez de nouveau.")
_DONE: Final = {
    "ajout": N_("Votre message est ajouté à la demande."),
    "retrait": N_("Votre demande est retirée : le service en est informé."),
    "reouverture": N_("Votre demande de réouverture est transmise au service."),
    "effacement": N_("Vos données sont effacées. Personne ne peut plus les lire."),
}
_JUST_RECEIVED: Final = frozenset({"received", "registered", "assigned"})
"""The states in which the page thanks for the request; who kept that address sees later what became of it."""
_FIELDS: Final = {"ajouter": "message", "rouvrir": "reason"}


def add_tracking_pages(site: Site) -> None:
    """Add the tracking page and its acts to the application."""

    async def show(request: Request) -> Response:
        tracked = await _tracked(site, request)
        done = _DONE.get(request.query_params.get("fait", ""), "")
        received = request.query_params.get("recu") == "1" and tracked.state.status in _JUST_RECEIVED
        return _page(site, request, tracked, done=done, received=received)

    async def confirm(request: Request) -> Response:
        tracked = await _tracked(site, request)
        action = request.url.path.rsplit("/", 1)[1]
        return site.page(request, "confirm.html", **_shown(site, request, tracked), action=action)

    async def write(request: Request) -> Response:
        """Add information, or ask to reopen: a text."""
        site.limit_forms(request)
        tracked = await _tracked(site, request)
        action = request.url.path.rsplit("/", 1)[1]
        fields = await read_fields(request)
        text = clean_text(fields.get("text", "")).strip()
        wrong = _EMPTY if not text else _TOO_LONG if len(text) > _LONGEST_MESSAGE else ""
        if wrong:
            return _page(site, request, tracked, status_code=422, wrong=wrong, action=action, text=text)
        act = site.acts.add_information if action == "ajouter" else site.acts.ask_reopening
        try:
            await act(tracked.request_id, tracked.authority.code, text, ticket=ticket_of(fields))
        except Refused as refused:
            return _page(site, request, tracked, status_code=409, refused=str(refused), action=action, text=text)
        except DigestMismatch:
            return _page(site, request, tracked, status_code=409, refused=_TWICE, action=action, text=text)
        except Unavailable:
            raise unavailable() from None
        return _back(site, request, tracked, "ajout" if action == "ajouter" else "reouverture")

    async def withdraw(request: Request) -> Response:
        site.limit_forms(request)
        tracked = await _tracked(site, request)
        fields = await read_fields(request)
        try:
            await site.acts.withdraw(tracked.request_id, tracked.authority.code, ticket=ticket_of(fields))
        except Refused as refused:
            return _page(site, request, tracked, status_code=409, refused=str(refused))
        except Unavailable:
            raise unavailable() from None
        return _back(site, request, tracked, "retrait")

    async def forget(request: Request) -> Response:
        site.limit_forms(request)
        tracked = await _tracked(site, request)
        await read_fields(request)
        try:
            await erase(site.app, tracked.request_id, authority=tracked.authority.code)
        except Unavailable:
            raise unavailable() from None
        return _back(site, request, tracked, "effacement")

    _add_routes(site, show=show, confirm=confirm, write=write, withdraw=withdraw, forget=forget)


def _add_routes(site: Site, *, show: Any, confirm: Any, write: Any, withdraw: Any, forget: Any) -> None:
    """Any: FastAPI's endpoints."""
    base = "/{authority}/suivi/{token}"
    pages = (("", show), ("/retirer", confirm), ("/effacer", confirm))
    acts = (("/ajouter", write), ("/rouvrir", write), ("/retirer", withdraw), ("/effacer", forget))
    for path, page in pages:
        site.app.http.add_api_route(base + path, page, methods=["GET", "HEAD"], include_in_schema=False, response_model=None)
    for path, act in acts:
        site.app.http.add_api_route(base + path, act, methods=["POST"], include_in_schema=False, response_model=None)


async def _tracked(site: Site, request: Request) -> Tracked:
    authority = site.authority(request)
    try:
        tracked = await find_tracked(site.app, site.vault, request.path_params["token"])
    except Unavailable:
        raise unavailable() from None
    if tracked is None and not site.app.shell.gate.is_open:
        raise unavailable()  # the database may have been restored to a time before this request: the log knows it
    if tracked is None or tracked.authority.code != authority.code:
        raise Problem(
            404,
            "unknown-token",
            title=N_("Ce lien de suivi n’ouvre aucune demande"),
            detail=N_("Il est peut-être incomplet : une messagerie coupe parfois les longs liens."),
            remedy=N_("Ouvrez le lien depuis l’accusé de réception, en entier. Sinon, appelez l’accueil avec votre référence."),
        )
    return tracked


def _back(site: Site, request: Request, tracked: Tracked, done: str) -> Response:
    path = site.tracking_path(tracked.authority.code, request.path_params["token"])
    return RedirectResponse(f"{path}?fait={done}", status_code=303)


def _shown(site: Site, request: Request, tracked: Tracked) -> dict[str, Any]:
    """Return what the templates of a request show. Any: values of templates."""
    service = tracked.service
    frame = site.frame(request)
    label, kind = STATUSES[tracked.state.status]
    category = tracked.authority.find_category(tracked.state.category)
    zone = tracked.authority.settings.timezone
    rows = content_rows(site, frame, tracked.content, category, timezone=zone) if tracked.content else []
    return {
        "authority": tracked.authority,
        "state": tracked.state,
        "content": tracked.content,
        "written": rows,
        "category": category,
        "contact": service.contact(tracked.authority) if service else None,
        "delay": tracked.delay,
        "status_label": site.say(frame, label),
        "status_kind": kind,
        "path": site.tracking_path(tracked.authority.code, request.path_params["token"]),
        "ticket": new_ticket(),
    }


def _page(
    site: Site,
    request: Request,
    tracked: Tracked,
    *,
    status_code: int = 200,
    done: str = "",
    received: bool = False,
    refused: str = "",
    wrong: str = "",
    action: str = "",
    text: str = "",
) -> Response:
    frame = site.frame(request)
    state = tracked.state
    return site.page(
        request,
        "tracking.html",
        status_code=status_code,
        **_shown(site, request, tracked),
        entries=timeline(site, frame, tracked),
        done=done and site.say(frame, done),
        received=received,
        refused=refused and site.say(frame, refused),
        errors={"text-" + action: site.say(frame, wrong)} if wrong else {},
        typed={"text-" + action: text} if action else {},
        can_write=state.status in OPEN,
        can_withdraw=state.status in OPEN and not state.withdrawal_pending,
        can_reopen=state.status in SETTLED and not state.reopening_pending,
    )
