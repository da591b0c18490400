"""Plays the agents: reads the services' mailboxes and follows the links in the mails, as a person would."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from deploy.demo.day import DemoRequest
from deploy.demo.pages import Form, WebPage, read_page, submit
from services.router.wording import ACTION, BUTTON
from shared.events.handling import Action

_NAMED: dict[str, Action] = {"transfer": "transfer", "take_charge": "take_charge", "answer": "answer", "resolve": "resolve"}


class AgentLost(Exception):
    """The pages did not offer what the agent was to do."""


@dataclass
class Task:
    """What is to be done about one request, and what is left of it."""

    reference: str
    request: DemoRequest
    left: list[str] = field(default_factory=list)


class Agents:
    """All agents of the town. They act when a mail arrives and it is daytime; several requests at a time."""

    def __init__(self, http: httpx.AsyncClient, *, mails_url: str, daytime: Callable[[], bool]) -> None:
        self._http = http
        self._mails_url = mails_url
        self._daytime = daytime
        self._tasks: dict[str, Task] = {}
        self._busy = asyncio.Semaphore(4)
        self._running: set[asyncio.Task[None]] = set()
        self._seen: set[str] = set()
        self.failures: list[str] = []

    def expect(self, reference: str, request: DemoRequest) -> None:
        """Know of a request, so that its mails can be acted upon."""
        self._tasks[reference] = Task(reference, request, list(request.agent))

    @property
    def idle(self) -> bool:
        """Whether everything that was to be done is done or has failed."""
        return not self._running and not any(task.left for task in self._tasks.values())

    @property
    def progress(self) -> tuple[int, int]:
        """How many acts are done, of all that are known to be wanted."""
        wanted = sum(len(task.request.agent) for task in self._tasks.values())
        return wanted - sum(len(task.left) for task in self._tasks.values()), wanted

    async def serve(self) -> None:
        """Read new mails for ever and act on them."""
        while True:
            if self._daytime():
                for mail, task in await self._new_mails():
                    self._start(mail, task)
            await asyncio.sleep(0.2)

    async def _new_mails(self) -> list[tuple[dict[str, str], Task]]:
        """Return the mails not seen before, with their tasks. One whose request is not known of yet is left for later."""
        answer = await self._http.get(f"{self._mails_url}/api/mails")
        mails = [mail for mail in answer.raise_for_status().json() if mail["id"] not in self._seen]
        known = [(mail, task) for mail in mails if (task := self._tasks.get(_reference_in(mail["subject"])))]
        self._seen |= {mail["id"] for mail, _ in known}
        return known

    def _start(self, mail: dict[str, str], task: Task) -> None:
        if not task.left:
            return
        running = asyncio.create_task(self._handle(task, mail["id"]))
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _handle(self, task: Task, mail_id: str) -> None:
        async with self._busy:
            mail = (await self._http.get(f"{self._mails_url}/api/mails/{mail_id}")).raise_for_status().json()
            links = [link for link in mail["links"] if "/a/" in link]
            if not links or not task.left:
                return
            try:
                page = read_page(await self._http.get(links[0]))
                while task.left:
                    act = task.left.pop(0)
                    page = await self._act(page, act, task.request)
                    if act == "transfer":  # the other service goes on, from its own mail
                        return
            except (AgentLost, LookupError, httpx.HTTPError) as error:
                self.failures.append(f"{task.reference}: {error}")
                task.left.clear()

    async def _act(self, page: WebPage, act: str, request: DemoRequest) -> WebPage:
        """Do one act: find its form on the page, or follow the link to the page that has it."""
        found = await self._find(page, act)
        if found is None:
            raise AgentLost(f"no way to {act} on {page.status} {page.url}: {page.text[:300]}")
        page, form = found
        typed = {}
        if act == "answer":
            typed["text"] = request.answer or ""
        if act == "transfer":
            typed["target"] = request.transfer or ""
        done = await submit(self._http, page, form, typed)
        if done.status != 200:
            raise AgentLost(f"{act} was answered {done.status}: {done.text[:300]}")
        return done

    async def _find(self, page: WebPage, act: str) -> tuple[WebPage, Form] | None:
        if form := _form_of(page, act):
            return page, form
        for href, label in page.links:
            if label == ACTION[_NAMED[act]]:
                candidate = read_page(await self._http.get(httpx.URL(page.url).join(href)))
                if form := _form_of(candidate, act):
                    return candidate, form
        return None


def _reference_in(subject: str) -> str:
    return subject.partition("[")[2].partition("]")[0]


def _form_of(page: WebPage, act: str) -> Form | None:
    for form in page.forms:
        if form.method == "post" and BUTTON[_NAMED[act]] in form.buttons:
            return form
    return None
