"""What the agents' pages stand on: whose page it is, the frame around it, fresh links, what to say when something is wrong."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from services.router.domain.life import Life
from services.router.store import find_key
from shared.actions.link import LIFETIME, ExpiredLink, InvalidLink, Link, LinkAction, Links
from shared.app import App
from shared.organisation import Authority
from shared.pages.answers import ProblemAnswers
from shared.pages.brand import Brand, Frame
from shared.pages.catalogue import Catalogue
from shared.pages.environment import Pages
from shared.pages.language import frame_for
from shared.pages.problem import N_, Problem
from shared.pages.security import secure
from shared.vault.seal import RequestKey, Vault

FOLDER: Final = Path(__file__).parent
NOBODYS: Final = Brand(code="aiguilleur", name="Espace des agents", short_name="Aiguilleur", languages=("fr", "en"))
"""The frame of pages that belong to no authority: a token that is none."""
RETRY_SECONDS: Final = "5"
_MAX_BODY_BYTES: Final = 200_000
"""A text of 10,000 characters, each written as four escaped bytes, and some."""


class Site:
    """The agents' pages stand on this: the service, its links, the vault, the page kit."""

    def __init__(self, app: App[Life], *, links: Links, vault: Vault) -> None:
        self.app = app
        self.kit = Pages(FOLDER / "templates", catalogue=Catalogue(FOLDER / "locale"))
        self._links = links
        self._vault = vault

    def secure(self) -> None:
        """Put errors, headers, limits and assets around the routes. Once, after all of them."""
        answers = ProblemAnswers(self.kit, frame_of=self.frame, report=self.app.report_page_error)
        secure(self.app.http, answers, max_body_bytes=_MAX_BODY_BYTES)
        self.app.http.mount(self.kit.assets.prefix, self.kit.assets.static_app(self._brand_of))

    def link(self, token: str) -> Link:
        """Return the link of a token. Raises Problem: a page that says what to do when it is none, or its time is over."""
        try:
            link = self._links.read(token, self.app.clock.now())
        except InvalidLink:
            raise no_link() from None
        except ExpiredLink:
            raise _expired() from None
        if link.authority not in self.app.organisation.current.authorities:
            raise no_link()
        return link

    def fresh(self, link: Link, action: LinkAction, version: int, now: datetime) -> str:
        """Return a token for the same agent and request, for another action, at the version that they see now."""
        return self._links.mint(replace(link, action=action, version=version, expires_at=now + LIFETIME))

    async def find_key(self, request_id: UUID) -> RequestKey | None:
        """Return the key of a request; None when it was destroyed. Raises Unavailable."""
        return await find_key(self.app.pool, self._vault, request_id)

    def frame(self, request: Request) -> Frame:
        """Return the frame for any request, also one with a token that is none."""
        authority = self._authority_of(request)
        frame = frame_for(request, brand_of(authority) if authority else NOBODYS)
        return replace(frame, section=self.say(frame, N_("Espace des agents")))

    def page(self, request: Request, template: str, *, status_code: int = 200, **values: Any) -> Response:  # Any: for a template
        """Return a page."""
        return self.kit.page(template, self.frame(request), status_code=status_code, **values)

    def say(self, frame: Frame, message: str) -> str:
        """Return a message in the language of the page."""
        return self.kit.catalogue.translations(frame.language).gettext(message)

    def _authority_of(self, request: Request) -> Authority | None:
        token = request.url.path.rpartition("/")[2]
        try:
            code = self._links.read(token, self.app.clock.now()).authority
        except ExpiredLink as error:
            code = error.link.authority
        except InvalidLink:
            return None
        return self.app.organisation.current.authorities.get(code)

    def _brand_of(self, code: str) -> Brand | None:
        authority = self.app.organisation.current.authorities.get(code)
        return brand_of(authority) if authority else (NOBODYS if code == NOBODYS.code else None)


def brand_of(authority: Authority) -> Brand:
    """Return how an authority presents itself to its agents."""
    return Brand(
        code=authority.code,
        name=authority.name,
        short_name=authority.brand.short_name,
        colour=authority.brand.primary,
        languages=authority.languages,
        home_url=authority.public_url,
    )


def no_link() -> Problem:
    """Return the answer to a token that opens nothing. It never says why: whoever guesses learns nothing."""
    return Problem(
        404,
        "no-link",
        title=N_("Ce lien n’existe pas"),
        detail=N_("L’adresse est incomplète ou a été modifiée ; rien n’a été changé."),
        remedy=N_("Ouvrez le lien depuis le message reçu dans la boîte de votre service, sans le recopier à la main."),
    )


def _expired() -> Problem:
    return Problem(
        410,
        "link-expired",
        title=N_("Ce lien n’est plus valable"),
        detail=N_("Un lien d’action vaut sept jours ; celui-ci est plus ancien. Rien n’a été changé."),
        remedy=N_(
            "Utilisez les liens du message le plus récent sur cette demande. Si vous n’en avez pas, donnez la référence de la "
            "demande à l’accueil."
        ),
    )


def read_only() -> Problem:
    """Return the answer to an attempt to act through a link that only shows."""
    return Problem(
        405,
        "read-only-link",
        title=N_("Ce lien permet seulement de consulter"),
        detail=N_("Il n’autorise aucune action ; rien n’a été changé."),
        remedy=N_("Pour agir, utilisez les liens du message reçu dans la boîte du service."),
        headers={"Allow": "GET, HEAD"},
    )
