"""Agents who act through the signed links of the mails that reached the sink, while things break."""

import asyncio
from typing import Final, Literal, TypeAlias
from urllib.parse import urljoin
from uuid import UUID

from deploy.demo.pages import Form, WebPage, read_page
from services.router.wording import ACTION, BUTTON
from tests.chaos.load import CANARY
from tests.chaos.mailbox import Letter
from tests.chaos.persistence import Client
from tests.judge.evidence import Act, History

Click: TypeAlias = Literal["take_charge", "ask", "answer", "transfer", "resolve"]

_PLANS: Final[tuple[tuple[Click, ...], ...]] = (
    (), (), (), (),
    ("take_charge",), ("take_charge", "answer"), ("take_charge", "answer", "resolve"), ("take_charge", "resolve"),
    ("answer",), ("answer", "transfer"), ("transfer",), ("take_charge", "transfer"), ("resolve",),
    ("ask",), ("take_charge", "ask"), ("ask", "answer"),
)  # fmt: skip
"""What the agents do about a request when it comes to them; a quarter of the requests nobody touches."""
_TEXTS: Final[dict[Click, str]] = {
    "ask": f"Bonjour {CANARY}, de quel banc s’agit-il ?",
    "answer": f"Bonjour {CANARY}, le banc sera réparé jeudi.",
}
_SUCCESS = 'class="notice success"'
"""The box that says that the action is done, now or by an earlier click of the same agent."""


class Agents:
    """They act once on each letter that hands a request over. Every third click is a double click."""

    def __init__(self, client: Client, *, history: History, at_once: int) -> None:
        self._client = client
        self._acts = history.acts if history.acts is not None else []
        self._stopping = False
        self._busy = asyncio.Semaphore(at_once)

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping = True

    async def take(self, letter: Letter) -> None:
        """Do about a request what the plan says, if nobody else did."""
        number = letter.request_id.int
        plan = _PLANS[number % len(_PLANS)] if letter.version == 2 else ("take_charge",)
        async with self._busy:
            if not plan or self._stopping:
                return
            link = next((one for one in await letter.links() if "/a/" in one), None)
            page = await self._open(link) if link is not None else None
            for action in plan:
                found = page and await self._find(page, action)
                if not found:
                    return  # somebody was quicker: the page says so and offers nothing
                act, page = await self._act(letter.request_id, *found, action, twice=number % 3 == 0)
                self._acts.append(act)

    async def _open(self, url: str) -> WebPage | None:
        answer = await self._client.insist("GET", url)
        return read_page(answer) if answer is not None else None

    async def _find(self, page: WebPage, action: Click) -> tuple[WebPage, Form] | None:
        """Return the form of an action: on this page, or on the one that its link leads to."""
        pages = [page]
        for href, label in page.links:
            if label == ACTION[action] and (other := await self._open(urljoin(page.url, href))):
                pages.append(other)
        for candidate in pages:
            for form in candidate.forms:
                if form.method == "post" and BUTTON[action] in form.buttons:
                    return candidate, form
        return None

    async def _act(
        self, request_id: UUID, page: WebPage, form: Form, action: Click, *, twice: bool
    ) -> tuple[Act, WebPage | None]:
        """Send the form; return what the pages said of it, and the page to go on from."""
        typed = dict(form.fields)
        if action in _TEXTS:
            typed["text"] = _TEXTS[action]
        if action == "transfer":
            typed["target"] = next(code for code in form.options["target"] if code)
        url = urljoin(page.url, form.action)
        clicks = [self._client.act(request_id, url, typed) for _ in range(2 if twice else 1)]
        answers = [answer for answer in await asyncio.gather(*clicks) if answer is not None]
        done = next((answer for answer in answers if answer.status_code == 200 and _SUCCESS in answer.text), None)
        if done is not None:
            return Act(request_id, action, "done"), read_page(done)
        # A link that ran out says nothing of an earlier click whose answer was lost.
        certain = len(answers) == len(clicks) and all(answer.status_code != 410 for answer in answers)
        told = "; ".join(f"{answer.status_code} {read_page(answer).text[:200]}" for answer in answers)
        return Act(request_id, action, "refused" if certain else "unknown", told), None
