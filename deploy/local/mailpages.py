"""The HTTP side of the mail sink: pages for people, JSON for tests."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from deploy.local.mailsmtp import Behaviour, Handler
from deploy.local.mailstore import LINK, Mail

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-src 'self'"
# The mail's own HTML: no script, no form, no request to anywhere; links open in a new tab.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_LONGEST_LIST = 500
_PARIS = ZoneInfo("Europe/Paris")


def mail_app(handler: Handler) -> FastAPI:
    app = FastAPI(title="Mail sink", docs_url=None, redoc_url=None)
    store = handler.store
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True)
    environment.filters.update(linked=_linked, moment=_moment)
    pages = Jinja2Templates(env=environment)

    @app.middleware("http")
    async def policy(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.setdefault("Content-Security-Policy", _PAGE_POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def existing(mail_id: str) -> Mail:
        mail = store.find(mail_id)
        if mail is None:
            raise HTTPException(404, f"Aucun courriel {mail_id}")
        return mail

    @app.get("/", response_class=HTMLResponse)
    async def mailbox(request: Request, a: str = "") -> Response:
        mails = store.list_mails(to=a.strip())
        shown = mails[: -_LONGEST_LIST - 1 : -1]
        return pages.TemplateResponse(request, "mailbox.html", {"mails": shown, "total": len(mails), "recipient": a})

    @app.get("/mails/{mail_id}", response_class=HTMLResponse)
    async def one(request: Request, mail_id: str) -> Response:
        return pages.TemplateResponse(request, "mail.html", {"mail": existing(mail_id)})

    @app.get("/mails/{mail_id}/html", response_class=HTMLResponse)
    async def html_part(mail_id: str) -> Response:
        content = '<base target="_blank">' + existing(mail_id).html
        return HTMLResponse(content, headers={"Content-Security-Policy": _MAIL_POLICY})

    @app.get("/mails/{mail_id}/source")
    async def source(mail_id: str) -> Response:
        existing(mail_id)
        return Response(store.raw(mail_id), media_type="text/plain; charset=utf-8")

    @app.get("/api/mails")
    async def api_list(to: str = "", after: str = "", limit: int | None = None) -> list[dict[str, Any]]:
        return [asdict(summary) for summary in store.list_mails(to=to, after=after, limit=limit)]

    @app.get("/api/mails/{mail_id}")
    async def api_one(mail_id: str) -> dict[str, Any]:
        mail = asdict(existing(mail_id))
        return {**mail.pop("summary"), **mail}

    @app.delete("/api/mails", status_code=204)
    async def api_clear() -> None:
        store.clear()

    @app.get("/api/behaviour")
    async def api_behaviour() -> Behaviour:
        return handler.behaviour

    @app.post("/api/behaviour")
    async def api_behave(behaviour: Behaviour) -> Behaviour:
        handler.behaviour = behaviour
        return behaviour

    @app.get("/api/struck")
    async def api_struck() -> int:
        return handler.struck

    @app.get("/api/refused")
    async def api_refused() -> list[str]:
        return handler.refused

    return app


def _moment(value: str) -> str:
    return datetime.fromisoformat(value).astimezone(_PARIS).strftime("%d/%m/%Y à %H:%M:%S")


def _linked(text: str) -> Markup:
    """Plain text with its addresses made clickable; everything else escaped."""
    parts, end = [], 0
    for found in LINK.finditer(text):
        link = found.group().rstrip(".,;:!?")
        parts += [escape(text[end : found.start()]), Markup('<a href="{0}">{0}</a>').format(link)]
        end = found.start() + len(link)
    return Markup("").join([*parts, escape(text[end:])])
