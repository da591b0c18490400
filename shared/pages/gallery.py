"""Gallery: every component in every state, to look at and to test. `python -m shared.pages.gallery --port 8099`."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from shared.pages.answers import ProblemAnswers
from shared.pages.brand import Brand, Frame, Link
from shared.pages.environment import Pages
from shared.pages.formats import time_tag
from shared.pages.language import frame_for
from shared.pages.problem import Problem
from shared.pages.security import secure
from shared.pages.svg import Bar, bar_chart

GALLERY_TEMPLATES = Path(__file__).parent / "gallery_templates"
PAGES = ("form", "errors", "confirmation", "tracking", "agent", "statistics", "home")
_MAX_BODY_BYTES = 100_000

BRANDS = {
    brand.code: brand
    for brand in (
        Brand(
            code="valmont",
            name="Ville de Valmont-sur-Loire",
            short_name="Valmont-sur-Loire",
            colour="#0f5c56",
            languages=("fr", "en"),
            home_url="/home",
            legal_links=(
                Link(label="Mentions légales", href="/home?legal"),
                Link(label="Accessibilité : partiellement conforme", href="/home?accessibility"),
                Link(label="Données personnelles", href="/home?privacy"),
            ),
        ),
        Brand(code="aubin", name="Saint-Aubin-des-Prés", short_name="Saint-Aubin", colour="#f2b705"),
        Brand(code="rives", name="Communauté de communes des Trois Rives", short_name="Trois Rives", colour="#7b1e57"),
    )
}


def build_gallery(report: Callable[[str, Exception], None] = lambda error_id, error: None) -> FastAPI:
    """`?brand=` shows another authority, `/broken` fails on purpose."""
    pages = Pages(GALLERY_TEMPLATES)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    secure(app, ProblemAnswers(pages, frame_of=_frame, report=report), max_body_bytes=_MAX_BODY_BYTES)
    app.mount("/assets", pages.assets.static_app(BRANDS.get))

    @app.get("/{name}")
    async def show(request: Request, name: str) -> HTMLResponse:
        if name == "broken":
            raise RuntimeError("a secret that no page shows")
        if name not in PAGES:
            raise Problem(404)
        frame = _frame(request)
        return pages.page(f"{name}.html", frame, **_values(frame.language))

    @app.post("/{name}")
    async def accept(request: Request, name: str) -> HTMLResponse:
        await request.form()
        frame = _frame(request)
        return pages.page("confirmation.html", frame, **_values(frame.language))

    return app


def _frame(request: Request) -> Frame:
    brand = BRANDS.get(request.query_params.get("brand", ""), BRANDS["valmont"])
    navigation = (Link(label="Faire une demande", href="/form"), Link(label="Nos délais", href="/statistics"))
    return frame_for(request, brand, section="Vos demandes en ligne", navigation=navigation)


def _values(language: str) -> dict[str, Any]:  # Any: whatever the templates show
    def moment(day: int, hour: int, minute: int) -> str:
        return time_tag(datetime(2026, 11, day, hour, minute, tzinfo=UTC), "Europe/Paris", language)

    return {
        "timezone": "Europe/Paris",
        "due": datetime(2026, 12, 1, 13, 0, tzinfo=UTC),
        "timeline": [
            {
                "title": "Demande reçue",
                "state": "done",
                "when": moment(24, 13, 5),
                "text": "Par le formulaire du site.",
            },
            {"title": "Confiée au service Voirie", "state": "done", "when": moment(24, 13, 5), "text": ""},
            {
                "title": "Prise en charge",
                "state": "current",
                "when": moment(25, 8, 40),
                "text": "Un agent suit votre demande.",
            },
            {
                "title": "Réponse attendue",
                "state": "late",
                "when": moment(27, 16, 0),
                "text": "La direction a été prévenue.",
            },
            {"title": "Réponse", "state": "next", "when": "", "text": ""},
        ],
        "chart": _chart(),
    }


def _chart() -> Markup:
    return bar_chart(
        [
            Bar(label="Voirie et espace public", value=128, part=117, shown="117 / 128"),
            Bar(label="État civil et formalités administratives", value=96, part=91, shown="91 / 96"),
            Bar(label="Petite enfance", value=41, part=30, shown="30 / 41"),
            Bar(label="Urbanisme", value=22, part=22, shown="22 / 22"),
            Bar(label="Archives municipales", value=None, shown="< 11"),
        ],
        identifier="by-service",
        title="Demandes prises en charge dans le délai, par service",
        description="La voirie reçoit le plus de demandes (128) ; 117 ont été prises en charge à temps.",
        legend=("Prises en charge dans le délai", "Hors délai"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Show every component of the page kit.")
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()
    uvicorn.run(build_gallery(), host=arguments.host, port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
