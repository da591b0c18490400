"""HTTP in, for programs: the figures of an authority as JSON."""

from datetime import date
from typing import Annotated, Final

from fastapi import Query

from services.stats.domain.period import MOST_MONTHS, Wrong, WrongPeriod, read_period
from services.stats.report import Statistics
from services.stats.site import Site
from shared.organisation import Authority
from shared.pages.documents import problems
from shared.pages.problem import N_, FieldProblem, Problem

WRONG: Final[dict[Wrong, tuple[str, str]]] = {
    "from_format": ("from", N_("Indiquez le premier mois sous la forme AAAA-MM, par exemple 2026-11.")),
    "to_format": ("to", N_("Indiquez le dernier mois sous la forme AAAA-MM, par exemple 2026-11.")),
    "order": ("to", N_("Le dernier mois est avant le premier : choisissez un mois plus tardif.")),
    "future": ("to", N_("Ce mois n’a pas encore commencé : choisissez le mois en cours ou un mois passé.")),
    "too_long": ("from", N_("La période dépasse 36 mois : choisissez un premier mois plus tardif.")),
}
"""Each fault of a period: the field, and what to do."""

Month = Annotated[
    str | None, Query(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description=f"AAAA-MM; at most {MOST_MONTHS} months together")
]


def add_api(site: Site) -> None:
    """Add the API to the application."""

    @site.app.http.get(
        "/v1/statistics/{authority}",
        summary="Requests and kept delays of an authority, by service and by channel, for whole months",
        responses=problems({404: "No authority of that code", 422: "No such period", 503: "PostgreSQL is away; try again"}),
    )
    async def statistics(
        authority: str, first: Annotated[Month, Query(alias="from")] = None, last: Annotated[Month, Query(alias="to")] = None
    ) -> Statistics:
        asked = site.authority(authority)
        try:
            period = read_period(first, last, today=local_today(site, asked))
        except WrongPeriod as wrong:
            field, detail = WRONG[wrong.why]
            problem = FieldProblem(field=f"/{field}", detail=detail, code=wrong.why, place="query")
            raise Problem(422, errors=(problem,)) from None
        return await site.statistics(asked, period)


def local_today(site: Site, authority: Authority) -> date:
    """Return the present day of an authority."""
    return site.app.clock.now().astimezone(authority.timezone).date()
