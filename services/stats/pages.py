"""HTTP in, for people: the page of the statistics."""

from datetime import date
from typing import Any, Final

from babel.dates import format_date
from babel.numbers import format_decimal
from fastapi import Request
from markupsafe import Markup
from starlette.responses import Response

from services.stats.api import WRONG, add_api, local_today
from services.stats.domain.facts import NOBODY, Facts
from services.stats.domain.period import MOST_MONTHS, Period, WrongPeriod, month_after, months_of, read_period
from services.stats.report import Amount, Line, Statistics, Summary
from services.stats.site import Site
from shared.app import App
from shared.delivery.errors import UNAVAILABLE
from shared.organisation import Authority
from shared.pages.brand import Frame
from shared.pages.channels import CHANNEL_NAMES
from shared.pages.formats import duration
from shared.pages.problem import N_, Problem
from shared.pages.svg import Bar, bar_chart

HIDDEN: Final = N_("masqué")
NOTHING: Final = "–"


def add_pages(app: App[Facts]) -> None:
    """Add the page and the API to the service's HTTP application, and what surrounds every answer."""
    site = Site(app)
    add_api(site)

    @app.http.get("/{authority}/statistiques", include_in_schema=False)
    async def statistics(request: Request, authority: str) -> Response:
        asked = site.authority(authority)
        frame, today = site.frame(request), local_today(site, asked)
        first, last = request.query_params.get("from", ""), request.query_params.get("to", "")
        try:
            period, errors = read_period(first, last, today=today), {}
        except WrongPeriod as wrong:
            field, message = WRONG[wrong.why]
            period, errors = read_period(None, None, today=today), {field: site.say(frame, message)}
        shown = PageOf(site, frame, asked, await site.statistics(asked, period))
        return site.kit.page(
            "statistics.html",
            frame,
            status_code=422 if errors else 200,
            errors=errors,
            months=await _offered(site, asked, period, today, frame.language),
            values={"from": first if errors else f"{period.first:%Y-%m}", "to": last if errors else f"{period.last:%Y-%m}"},
            **shown.values(),
        )

    site.secure()


async def _offered(site: Site, authority: Authority, period: Period, today: date, language: str) -> list[tuple[str, str]]:
    """Return the months to choose from, the latest first: those with figures, the present one, and what is shown."""
    try:
        begun = await site.store.find_first_day(authority.code) or today
    except UNAVAILABLE:
        raise Problem(503, headers={"Retry-After": "5"}) from None
    present = today.replace(day=1)
    earliest = min(begun.replace(day=1), period.first)
    oldest = date(present.year - MOST_MONTHS // 12, present.month, 1)
    months = months_of(Period(max(earliest, month_after(oldest)), present))
    shown = {*months, period.first, period.last}
    return [(f"{month:%Y-%m}", month_name(month, language)) for month in sorted(shown, reverse=True)]


def month_name(month: date, language: str) -> str:
    """Return "novembre 2026", "November 2026"."""
    return format_date(month, "LLLL y", locale=language)


class PageOf:
    """What the template shows, in the language of the reader."""

    def __init__(self, site: Site, frame: Frame, authority: Authority, statistics: Statistics) -> None:
        self._site = site
        self._frame = frame
        self._authority = authority
        self._statistics = statistics

    def values(self) -> dict[str, Any]:
        """Return the values of the template; Any: it knows their types."""
        statistics, language = self._statistics, self._frame.language
        first, last = month_name(statistics.first_month, language), month_name(statistics.last_month, language)
        total = [self._say(N_("Ensemble")), *self._cells(statistics.total)]
        return {
            "period": first if first == last else self._say(N_("de %(first)s à %(last)s"), first=first, last=last),
            "figures": self._figures(statistics.total),
            "chart": self._chart(),
            "services": [[self._service(line.code), *self._cells(line)] for line in statistics.services] + [total],
            "channels": [[self._channel(line.code), *self._cells(line)] for line in statistics.channels] + [total],
            "threshold": statistics.threshold,
            "hidden": self._say(HIDDEN),
            "partly": self._hides_months(),
        }

    def _figures(self, total: Summary) -> list[tuple[str, str]]:
        cells = self._cells(total)
        return [
            (cells[0], self._say(N_("demandes reçues"))),
            (cells[1], self._say(N_("prises en charge"))),
            (cells[2], self._say(N_("prises en charge dans le délai annoncé"))),
            (cells[3], self._say(N_("délai médian de prise en charge, en heures d’ouverture"))),
        ]

    def _cells(self, summary: Summary) -> list[str]:
        """Return received, taken, within, median, ninth decile, escalated, transferred, as they are written."""
        taken = summary.taken_in_charge.amount
        follows = self._say(HIDDEN) if taken is None else NOTHING
        no_share = self._say(HIDDEN) if summary.within_hidden else NOTHING
        within = no_share if summary.within_percent is None else self._percent(summary.within_percent)
        delays = [
            follows if minutes is None else duration(minutes * 60, self._frame.language)
            for minutes in (summary.median_minutes, summary.ninth_decile_minutes)
        ]
        amounts = [self._amount(one) for one in (summary.received, summary.taken_in_charge)]
        return [*amounts, within, *delays, self._amount(summary.escalated), self._amount(summary.transferred)]

    def _amount(self, amount: Amount) -> str:
        if amount.amount is None:
            return self._say(HIDDEN)
        number = format_decimal(amount.amount, locale=self._frame.language)
        return self._say(N_("au moins %(number)s"), number=number) if amount.at_least else number

    def _percent(self, percent: int) -> str:
        return f"{percent}\u00a0%" if self._frame.language == "fr" else f"{percent}%"

    def _service(self, code: str) -> str:
        service = self._authority.find_service(code)
        if service is not None:
            return service.full_name
        return self._say(N_("Pas encore attribuées")) if code == NOBODY else code

    def _channel(self, code: str) -> str:
        return self._say(CHANNEL_NAMES.get(code, code))

    def _chart(self) -> Markup | None:
        lines = [line for line in self._statistics.services if line.received.amount != 0]
        if not lines:
            return None
        return bar_chart(
            [self._bar(line) for line in lines],
            identifier="received",
            title=self._say(N_("Demandes reçues, par service")),
            description=self._say(N_("Une barre par service. Les mêmes nombres sont dans le tableau « Par service ».")),
        )

    def _bar(self, line: Line) -> Bar:
        return Bar(label=self._service(line.code), value=line.received.amount, shown=self._amount(line.received))

    def _hides_months(self) -> bool:
        lines: list[Summary] = [*self._statistics.services, *self._statistics.channels, self._statistics.total]
        return any(
            one.at_least for line in lines for one in (line.received, line.taken_in_charge, line.escalated, line.transferred)
        )

    def _say(self, message: str, **variables: object) -> str:
        return self._site.say(self._frame, message, **variables)
