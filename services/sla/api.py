"""HTTP in: the explanation of a deadline."""

from typing import Final
from uuid import UUID

from fastapi import Request

from services.sla.domain.clocks import Clocks
from services.sla.explanation import DeadlineReport, explain
from shared.app import App
from shared.delivery.errors import Unavailable
from shared.pages.answers import ProblemAnswers
from shared.pages.brand import Brand, Frame
from shared.pages.documents import problems
from shared.pages.environment import Pages
from shared.pages.language import frame_for
from shared.pages.problem import Problem
from shared.pages.security import secure

_NOBODYS: Final = Brand(code="aiguilleur", name="Aiguilleur", short_name="Aiguilleur", languages=("fr", "en"))
_MAX_BODY_BYTES: Final = 1_000


def add_api(app: App[Clocks]) -> None:
    """Add the API to the service's HTTP application, and what surrounds every answer."""

    @app.http.get(
        "/v1/requests/{request_id}/deadline",
        summary="Why a request is due when it is due, and where its clocks stand",
        responses=problems({404: "The sla does not know this request (yet)", 503: "PostgreSQL is away; try again"}),
    )
    async def deadline(request_id: UUID) -> DeadlineReport:
        try:
            clocks = await app.shell.find_state(request_id)
        except Unavailable:
            raise Problem(503, headers={"Retry-After": "2"}) from None
        authority = app.organisation.current.authorities.get(clocks.authority) if clocks else None
        report = explain(request_id, clocks, authority) if clocks else None
        if report is None:
            raise Problem(404)
        return report

    def frame_of(request: Request) -> Frame:
        return frame_for(request, _NOBODYS)

    secure(app.http, ProblemAnswers(Pages(), frame_of=frame_of, report=app.report_page_error), max_body_bytes=_MAX_BODY_BYTES)
