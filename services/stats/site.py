"""What the page and the API of the statistics share: whose they are, the frame around them, the way to the figures."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from starlette.requests import Request

from services.stats.domain.facts import Facts
from services.stats.domain.period import Period
from services.stats.report import Statistics, statistics_of
from services.stats.store import StatisticsStore
from shared.app import App
from shared.delivery.errors import UNAVAILABLE
from shared.organisation import Authority
from shared.pages.answers import ProblemAnswers
from shared.pages.assets import Assets
from shared.pages.brand import Brand, Frame, Link
from shared.pages.catalogue import Catalogue
from shared.pages.environment import Pages
from shared.pages.language import frame_for
from shared.pages.problem import N_, Problem
from shared.pages.security import secure

FOLDER: Final = Path(__file__).parent
_NOBODYS: Final = Brand(code="aiguilleur", name="Statistiques", short_name="Aiguilleur", languages=("fr", "en"))
_MAX_BODY_BYTES: Final = 1_000


class Site:
    """The statistics' page and API stand on this."""

    def __init__(self, app: App[Facts]) -> None:
        self.app = app
        self.store = StatisticsStore(app.pool)
        self.kit = Pages(FOLDER / "templates", catalogue=Catalogue(FOLDER / "locale"), assets=Assets(prefix="/stats/assets"))

    def secure(self) -> None:
        """Put errors, headers, limits and assets around the routes. Once, after all of them."""
        answers = ProblemAnswers(self.kit, frame_of=self.frame, report=self.app.report_page_error)
        secure(self.app.http, answers, max_body_bytes=_MAX_BODY_BYTES)
        self.app.http.mount(self.kit.assets.prefix, self.kit.assets.static_app(self._brand_of))

    def authority(self, code: str) -> Authority:
        """Return an authority; a problem that says so when there is none of that code."""
        authority = self.app.organisation.current.authorities.get(code)
        if authority is None:
            raise Problem(404, detail=N_("Aucune collectivité n’a cette adresse ici."))
        return authority

    async def statistics(self, authority: Authority, period: Period) -> Statistics:
        """Return what may be shown of a period; a problem 503 while PostgreSQL is away."""
        try:
            months = await self.store.find_months(authority.code, period.first, period.last_day)
        except UNAVAILABLE:
            raise Problem(503, headers={"Retry-After": "5"}) from None
        return statistics_of(authority, period, months)

    def frame(self, request: Request) -> Frame:
        """Return the frame for any request, also one to an unknown authority."""
        code = request.url.path.split("/", 2)[1]
        authority = self.app.organisation.current.authorities.get(code)
        if authority is None:
            return frame_for(request, _NOBODYS)
        home = self._home(authority)
        frame = frame_for(request, self._brand(authority), section=N_("Statistiques"))
        links = (
            (N_("Faire une demande"), home),
            (N_("Nos délais"), f"{home}/charte"),
            (N_("Statistiques"), f"/{authority.code}/statistiques"),
        )
        navigation = tuple(Link(label=self.say(frame, label), href=href) for label, href in links)
        return replace(frame, section=self.say(frame, frame.section), navigation=navigation)

    def say(self, frame: Frame, message: str, **variables: object) -> str:
        """Return a message in the language of the page."""
        text = self.kit.catalogue.translations(frame.language).gettext(message)
        return text % variables if variables else text

    def _home(self, authority: Authority) -> str:
        return f"{(self.app.settings.site_url or authority.public_url).rstrip('/')}/{authority.code}"

    def _brand(self, authority: Authority) -> Brand:
        return Brand(
            code=authority.code,
            name=authority.name,
            short_name=authority.brand.short_name,
            colour=authority.brand.primary,
            languages=authority.languages,
            home_url=self._home(authority),
        )

    def _brand_of(self, code: str) -> Brand | None:
        authority = self.app.organisation.current.authorities.get(code)
        return self._brand(authority) if authority else (_NOBODYS if code == _NOBODYS.code else None)
