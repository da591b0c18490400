"""The form for a service, for an elected official, or for nobody in particular."""

from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake.form import Sent, errors_of, new_ticket, question_fields, read_fields, read_form
from services.intake.site import Site, unavailable
from services.intake.submission import Invalid, submit
from shared.delivery.core import DigestMismatch
from shared.delivery.errors import Unavailable
from shared.organisation import Authority
from shared.organisation.category import Category
from shared.organisation.service import Service
from shared.pages.problem import N_, Problem

_MISTAKEN_FOR_A_ROBOT: Final = N_(
    "Un champ caché du formulaire était rempli, ce que font les robots. Si vous êtes une personne, renvoyez."
)
_SENT_ALREADY: Final = N_(
    "Ce formulaire a déjà été envoyé, avec un autre contenu : votre demande est enregistrée. Pour la compléter, ouvrez "
    "sa page de suivi. Pour faire une autre demande avec ce qui est écrit ici, envoyez de nouveau."
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the address of a form names."""

    authority: Authority
    code: str | None
    service: Service | None
    closed: bool

    @property
    def path(self) -> str:
        """The address of the form."""
        return f"/{self.authority.code}/demande" + (f"/{self.code}" if self.code else "")

    @property
    def categories(self) -> tuple[Category, ...]:
        """The subjects that the form offers."""
        if self.service is None:
            return tuple(self.authority.categories.values())
        return self.authority.categories_of(self.service.code)

    def category(self, code: str | None) -> Category | None:
        """The subject of that code, if the form offers it."""
        return next((one for one in self.categories if one.code == code), None)


def add_form_pages(site: Site) -> None:
    """Add the form's routes to the application."""

    async def show(request: Request) -> Response:
        asked = _asked(site, request)
        category = asked.category(request.query_params.get("category"))
        values = {"category": category.code if category else ""}
        return _form(site, request, asked, Sent(values, {}, new_ticket()))

    async def send(request: Request) -> Response:
        asked = _asked(site, request)
        site.limit_forms(request)
        sent = read_form(await read_fields(request), asked.authority, asked.code, language=site.frame(request).language)
        if sent.trapped:
            return _form(site, request, asked, sent, status_code=422, notice=_MISTAKEN_FOR_A_ROBOT)
        if sent.submission is None:
            return _form(site, request, asked, sent, status_code=422)
        ticket = site.acceptance.ticket(sent.submission, source=f"web/{asked.authority.code}", id=sent.ticket)
        try:
            accepted = await submit(site.app.shell, site.acceptance, sent.submission, ticket)
        except Invalid as invalid:
            errors = errors_of(invalid.faults, asked.category(sent.values["category"]))
            return _form(site, request, asked, Sent(sent.values, errors, sent.ticket), status_code=422)
        except DigestMismatch:
            again = Sent(sent.values, {}, new_ticket())
            return _form(site, request, asked, again, status_code=409, notice=_SENT_ALREADY)
        except Unavailable:
            raise unavailable() from None
        if accepted.token is None:
            raise Problem(409)
        return RedirectResponse(f"{site.tracking_path(asked.authority.code, accepted.token)}?recu=1", status_code=303)

    for path in ("/{authority}/demande", "/{authority}/demande/{service}"):
        site.app.http.add_api_route(path, show, methods=["GET", "HEAD"], include_in_schema=False, response_model=None)
        site.app.http.add_api_route(path, send, methods=["POST"], include_in_schema=False, response_model=None)


def _asked(site: Site, request: Request) -> _Asked:
    """Read the address. A service that does not exist gets a form too: what is sent goes to the front desk."""
    authority = site.authority(request)
    code = request.path_params.get("service")
    if code is not None and (len(code) > 64 or not code.replace("-", "").replace("_", "").isalnum() or not code.isascii()):
        raise Problem(404)
    service = authority.find_service(code)
    closed = service is not None and not authority.is_open(service.code, site.app.clock.now())
    return _Asked(authority, code.lower() if code else None, service, closed)


def _form(site: Site, request: Request, asked: _Asked, sent: Sent, *, status_code: int = 200, notice: str = "") -> Response:
    authority, now = asked.authority, site.app.clock.now()
    frame = site.frame(request)
    category = asked.category(sent.values.get("category"))
    owner = authority.owner_to_be(asked.code, now)
    promise = authority.promise_for("web", owner.code, category.code if category else None)
    unknown = asked.code is not None and asked.service is None
    shown: dict[str, Any] = {
        "authority": authority,
        "asked": asked,
        "owner": owner,
        "promise": promise,
        "due_at": authority.calendar_of(owner.code).due(now, promise.working_seconds),
        "category": category,
        "questions": question_fields(category, sent.values),
        "values": sent.values,
        "errors": {name: site.say(frame, message) for name, message in sent.errors.items()},
        "ticket": sent.ticket,
        "notice_text": site.say(frame, notice) if notice else "",
        "unknown": unknown,
    }
    return site.page(request, "form.html", status_code=404 if unknown and status_code == 200 else status_code, **shown)
