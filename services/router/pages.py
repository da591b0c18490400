"""The agents' pages: a signed link shows a request and what its agent may do; sending the form does it at once."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.router import notice as notices
from services.router import wording
from services.router.domain.act import Act, may_act, obstacle
from services.router.domain.life import Life, actions_in
from services.router.notice import Notice
from services.router.sheet import Sheet, open_sheet
from services.router.site import RETRY_SECONDS, Site, no_link, read_only
from services.router.typed import MAX_TEXT_CHARACTERS, NOTHING, Typed, open_services
from shared.actions.link import Link
from shared.delivery.core import DigestMismatch
from shared.delivery.errors import Unavailable
from shared.delivery.values import Input, Result, Ticket
from shared.events.content import AgentAct
from shared.events.handling import Action, CommandRefused
from shared.pages.channels import CHANNEL_NAMES
from shared.pages.problem import Problem
from shared.vault.seal import RequestKey

_RETRY: Final = {"Retry-After": RETRY_SECONDS}


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one action. `token` is where it goes: empty for the address of the page itself."""

    action: Action
    token: str = ""


def add_pages(site: Site) -> None:
    """Add the agents' pages to the service's HTTP application."""
    http = site.app.http

    @http.api_route("/a/{token}", methods=["GET", "HEAD"], include_in_schema=False, response_class=HTMLResponse)
    async def show(request: Request, token: str) -> Response:
        """Show a request and the form of the link's action. Changes nothing: scanners of mails follow every link."""
        link = site.link(token)
        try:
            sheet, _ = await _find(site, link)
        except Unavailable:
            raise Problem(503, headers=_RETRY) from None
        if link.action == "view":
            return Page(site, request, link, sheet).answer()
        code = _obstacle(link, sheet, site.app.clock.now())
        if code is None:
            return Page(site, request, link, sheet, form=Form(link.action)).answer()
        return Page(site, request, link, sheet, notice=notices.refused(code, link, sheet)).answer(
            410 if code == "erased" else 200
        )

    @http.post("/a/{token}", include_in_schema=False, response_class=HTMLResponse)
    async def act(request: Request, token: str) -> Response:
        """Do the link's action at once and show what became of it."""
        link = site.link(token)
        if link.action == "view":
            raise read_only()
        typed = Typed.from_form(await request.form())
        try:
            return await _act(site, request, link, link.action, token, typed)
        except Unavailable:
            values = {"action": link.action, "typed": typed, "wording": wording}
            return site.page(request, "unavailable.html", status_code=503, headers=_RETRY, **values)


@dataclass(frozen=True, slots=True)
class Page:
    """A page about a request: what is said first, the form, what else its agent may do."""

    site: Site
    request: Request
    link: Link
    sheet: Sheet
    notice: Notice | None = None
    form: Form | None = None
    typed: Typed = NOTHING
    unsent: bool = False
    """The typed text was not taken: it is kept in a form where that action is still possible, else quoted."""

    def answer(self, status_code: int = 200, errors: dict[str, str] | None = None) -> Response:
        """Return the page."""
        site, sheet, now = self.site, self.sheet, self.site.app.clock.now()
        offered = _offered(self.link, sheet, now)
        form = self.form
        if form is None and self.unsent and self.typed.text and self.link.action in offered:
            form = Form(self.link.action, site.fresh(self.link, self.link.action, sheet.life.version, now))
        others = [
            (action, site.fresh(self.link, action, sheet.life.version, now))
            for action in offered
            if form is None or action != form.action
        ]
        frame = site.frame(self.request)
        return site.page(
            self.request,
            "request.html",
            status_code=status_code,
            sheet=sheet,
            link=self.link,
            notice=self.notice,
            form=form,
            others=others,
            typed=self.typed,
            kept=self.typed.text if self.unsent and form is None else "",
            errors={name: site.say(frame, message) for name, message in (errors or {}).items()},
            services=[(service.code, service.full_name) for service in open_services(sheet.life, sheet.authority, now)],
            timezone=sheet.authority.settings.timezone,
            wording=wording,
            channel_names=CHANNEL_NAMES,
            most_characters=MAX_TEXT_CHARACTERS,
        )


async def _act(site: Site, request: Request, link: Link, action: Action, token: str, typed: Typed) -> Response:
    sheet, key = await _find(site, link)
    now = site.app.clock.now()
    errors = typed.errors(action, sheet.life, sheet.authority, now)
    if key is None:
        return Page(site, request, link, sheet, notices.refused("erased", link, sheet), typed=typed, unsent=True).answer(410)
    if errors and _obstacle(link, sheet, now) is None:
        return Page(site, request, link, sheet, form=Form(action), typed=typed).answer(422, errors)
    try:
        result = await site.app.shell.local.apply(_input(link, action, token, typed, key))
    except DigestMismatch:
        sheet, _ = await _find(site, link)
        return Page(site, request, link, sheet, notices.used(link, sheet), typed=typed, unsent=True).answer(409)
    if result.kind == "duplicate" or result.state is None:
        sheet, _ = await _find(site, link)
        code = _obstacle(link, sheet, now)
        told = notices.refused(code, link, sheet) if code else notices.used(link, sheet)
        return Page(site, request, link, sheet, told).answer()
    sheet = open_sheet(link.request_id, result.state, key, sheet.authority, now)
    return _outcome(Page(site, request, link, sheet, typed=typed), action, result)


def _outcome(page: Page, action: Action, result: Result[Life]) -> Response:
    """Say what was done, or why not; in that case what was typed is kept."""
    site, request, link, sheet = page.site, page.request, page.link, page.sheet
    refusal = next((event for event in result.events if isinstance(event, CommandRefused)), None)
    if refusal is None:
        return Page(site, request, link, sheet, notices.done(action, sheet)).answer()
    told = notices.refused(refusal.why, link, sheet)
    status = 410 if refusal.why == "erased" else 409
    return Page(site, request, link, sheet, told, typed=page.typed, unsent=told.kind != "success").answer(status)


async def _find(site: Site, link: Link) -> tuple[Sheet, RequestKey | None]:
    """Return the request of a link, opened, and its key.

    Raises Problem: there is none; Unavailable: PostgreSQL is away, or was restored to a time before it.
    """
    authority = site.app.authority(link.authority)
    life = await site.app.shell.find_state(link.request_id)
    if life is None:
        site.app.shell.gate.require()
    if life is None or life.authority != authority.code:
        raise no_link()
    key = None if life.status == "erased" else await site.find_key(link.request_id)
    return open_sheet(link.request_id, life, key, authority, site.app.clock.now()), key


def _input(link: Link, action: Action, token: str, typed: Typed, key: RequestKey) -> Input:
    """Return the act of a link as an input of the step; the link's token is its ticket: it counts once."""
    text = typed.text_or_none
    by = key.seal(link.request_id, AgentAct(agent=link.agent))
    with_text = key.seal(link.request_id, AgentAct(agent=link.agent, text=text)) if text else None
    act = Act(
        action=action,
        expected_version=link.version,
        mailbox=link.agent,
        target=typed.target or None,
        by=by,
        sealed=with_text or (None if action in ("ask", "answer") else by),
    )
    ticket = Ticket("link", hashlib.sha256(token.encode()).hexdigest(), typed.digest)
    return Input(request_id=link.request_id, authority=link.authority, event=act, ticket=ticket)


def _obstacle(link: Link, sheet: Sheet, now: datetime) -> str | None:
    assert link.action != "view", "a link that only shows has nothing in its way"
    act = Act(action=link.action, expected_version=link.version, mailbox=link.agent)
    return obstacle(sheet.life, act, sheet.authority, now)


def _offered(link: Link, sheet: Sheet, now: datetime) -> tuple[Action, ...]:
    """Return what the link's agent may do now. A link that only shows offers nothing, whoever holds it."""
    life = sheet.life
    if link.action == "view" or not life.is_open or not may_act(life, link.agent, sheet.authority, now):
        return ()
    return actions_in(life.status)
