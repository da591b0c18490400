"""What all pages of intake share: whose page it is, the frame around it, the way to the parts behind it."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from services.intake.acts import Acts
from services.intake.domain.request import TrackedRequest
from services.intake.rate_limit import RateLimit
from services.intake.settings import IntakeSettings
from services.intake.submission import Acceptance
from shared.app import App
from shared.delivery.errors import Unavailable
from shared.organisation import Authority
from shared.pages.answers import ProblemAnswers
from shared.pages.assets import Assets
from shared.pages.brand import Brand, Frame, Link
from shared.pages.catalogue import Catalogue
from shared.pages.environment import Pages
from shared.pages.language import frame_for
from shared.pages.problem import N_, Problem
from shared.pages.security import secure
from shared.vault.seal import Vault

FOLDER: Final = Path(__file__).parent
NOBODYS: Final = Brand(code="aiguilleur", name="Vos demandes en ligne", short_name="Aiguilleur", languages=("fr", "en"))
"""The frame of pages that belong to no authority."""
_RETRY_SECONDS: Final = "5"


class Site:
    """Intake's pages and API stand on this: the service, the vault, the page kit."""

    def __init__(self, app: App[TrackedRequest], settings: IntakeSettings, *, acceptance: Acceptance, vault: Vault) -> None:
        self.app = app
        self.acceptance = acceptance
        self.vault = vault
        self.acts = Acts(app, vault, acceptance.tokens)
        self.kit = Pages(FOLDER / "templates", catalogue=Catalogue(FOLDER / "locale"), assets=Assets(FOLDER / "static"))
        self._site_url = settings.site_url
        self._largest_body_bytes = settings.largest_body_bytes
        self._forms = RateLimit(settings.forms_a_minute, time.monotonic)
        self._calls = RateLimit(settings.api_calls_a_minute, time.monotonic)

    def secure(self) -> None:
        """Put errors, headers, limits and assets around the routes. Once, after all of them."""
        answers = ProblemAnswers(self.kit, frame_of=self.frame, report=self.app.report_page_error)
        secure(self.app.http, answers, max_body_bytes=self._largest_body_bytes, admit=self._refuse_when_full)
        self.app.http.mount(self.kit.assets.prefix, self.kit.assets.static_app(self._brand_of))

    def authority(self, request: Request) -> Authority:
        """Return the authority whose page is asked for; a page that says so when there is none of that code."""
        authority = self._find_authority(request)
        if authority is None:
            raise Problem(404, detail=N_("Aucune collectivité n’a cette adresse ici."))
        return authority

    def frame(self, request: Request) -> Frame:
        """Return the frame for any request, also one to an unknown authority."""
        authority = self._find_authority(request)
        if authority is None:
            return frame_for(request, NOBODYS)
        home = f"/{authority.code}"
        navigation = (Link(label=N_("Faire une demande"), href=home), Link(label=N_("Nos délais"), href=f"{home}/charte"))
        return self._translated(
            frame_for(request, brand_of(authority), section=N_("Vos demandes en ligne"), navigation=navigation)
        )

    def page(self, request: Request, template: str, *, status_code: int = 200, **values: Any) -> Response:
        """Return a page; Any: whatever its template shows."""
        return self.kit.page(template, self.frame(request), status_code=status_code, **values)

    def say(self, frame: Frame, message: str, **variables: object) -> str:
        """Return a message in the language of the page."""
        text = self.kit.catalogue.translations(frame.language).gettext(message)
        return text % variables if variables else text

    def url(self, authority: Authority, path: str) -> str:
        """Return the public address of a path of the site."""
        return f"{(self._site_url or authority.public_url).rstrip('/')}{path}"

    def tracking_path(self, authority: str, token: str) -> str:
        """Return the path of a tracking page."""
        return f"/{authority}/suivi/{token}"

    def limit_forms(self, request: Request) -> None:
        """Refuse who sends more forms than a person can (429)."""
        self._limit(self._forms, request)

    def limit_calls(self, request: Request) -> None:
        """Refuse who calls the API more often than is agreed (429)."""
        self._limit(self._calls, request)

    def _refuse_when_full(self, scope: Scope) -> None:
        """Refuse every post while too many wait (503)."""
        if scope["method"] != "POST":
            return
        try:
            self.app.shell.local.require_room()
        except Unavailable:
            raise unavailable() from None

    @staticmethod
    def _limit(limit: RateLimit, request: Request) -> None:
        wait = limit.wait_seconds(request.client.host if request.client else "")
        if wait:
            raise Problem(429, headers={"Retry-After": str(wait)})

    def _find_authority(self, request: Request) -> Authority | None:
        code = request.scope["path"].removeprefix("/").partition("/")[0]
        return self.app.organisation.current.authorities.get(code)

    def _brand_of(self, code: str) -> Brand | None:
        authority = self.app.organisation.current.authorities.get(code)
        return brand_of(authority) if authority else (NOBODYS if code == NOBODYS.code else None)

    def _translated(self, frame: Frame) -> Frame:
        def say(links: tuple[Link, ...]) -> tuple[Link, ...]:
            return tuple(Link(label=self.say(frame, link.label), href=link.href) for link in links)

        brand = replace(frame.brand, legal_links=say(frame.brand.legal_links))
        return replace(frame, brand=brand, section=self.say(frame, frame.section), navigation=say(frame.navigation))


def unavailable() -> Problem:
    """Return the answer for when PostgreSQL is away: nothing was kept, the same again is safe."""
    return Problem(503, headers={"Retry-After": _RETRY_SECONDS})


def brand_of(authority: Authority) -> Brand:
    """Return how an authority presents itself."""
    home = f"/{authority.code}"
    return Brand(
        code=authority.code,
        name=authority.name,
        short_name=authority.brand.short_name,
        colour=authority.brand.primary,
        languages=authority.languages,
        home_url=home,
        legal_links=(
            Link(label=N_("Mentions légales"), href=f"{home}/mentions"),
            Link(label=N_("Nos délais"), href=f"{home}/charte"),
        ),
    )
