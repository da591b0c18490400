"""A request from its fields to its mails, through the real steps of intake, router and notifier and the real composer.

No database: the steps are pure. Each text goes the way it goes in the services: a usager's by the API's model or by the form,
an agent's by the fields of an action page.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from deploy.local.town import ORGANISATION
from services.intake.domain.command import AddInformation, AskReopening
from services.intake.domain.request import TrackedRequest
from services.intake.domain.validation import clean_text
from services.intake.form import read_form
from services.intake.service import INTAKE
from services.intake.submission import Acceptance, Invalid
from services.notifier.compose import Composer, Mail
from services.notifier.domain.correspondence import Correspondence
from services.notifier.domain.step import LetterSent
from services.notifier.service import NOTIFIER
from services.router.domain.act import Act
from services.router.domain.life import Life
from services.router.service import ROUTER
from services.router.typed import Typed
from shared.actions.link import Links
from shared.clock import SetClock
from shared.delivery.service import Context
from shared.events import handling, requests
from shared.events.content import AgentAct, Content, UsagerMessage
from shared.events.handling import Action
from shared.events.inbound import Submission
from shared.organisation import Authority, OrganisationSource
from shared.vault.seal import RequestKey, Vault
from tests.fuzz.installation import NOON

SITES: Final = ("https://site.rivemont.example/", "https://agents.rivemont.example/a/")


class Refused(Exception):
    """It was refused where it was written, with what to correct."""


@dataclass(frozen=True)
class Sent:
    """A letter and its mail."""

    letter: str
    mail: Mail
    to_usager: bool


class Desk:
    """Takes requests of one authority."""

    def __init__(self, authority: Authority | None = None) -> None:
        source = OrganisationSource(ORGANISATION)
        self.authority = authority or source.current.authority("rivemont")
        self.vault = Vault({1: bytes(range(32))})
        self.acceptance = Acceptance(organisation=source, clock=SetClock(NOON), vault=self.vault)
        site, agents = (one.removesuffix("/").removesuffix("/a") for one in SITES)
        self.composer = Composer(Links(bytes(32)), agents_url=agents, site_url=site)

    def submit(self, body: dict[str, Any]) -> "Case":
        """Take what a program hands over. Raises Refused."""
        try:
            return self._accept(Submission.model_validate_json(json.dumps({"authority": self.authority.code} | body)))
        except ValidationError as error:
            raise Refused(f"{error.error_count()} fields") from None

    def fill_in(self, fields: dict[str, str], service: str) -> "Case":
        """Take a form. Raises Refused."""
        sent = read_form(fields, self.authority, service, language="fr")
        if sent.submission is None:
            assert sent.errors, "a form that is not taken says why"
            raise Refused(", ".join(sent.errors))
        return self._accept(sent.submission)

    def _accept(self, submission: Submission) -> "Case":
        try:
            one = self.acceptance.input_for(submission)
        except Invalid as invalid:
            raise Refused(str(invalid)) from None
        ((_, (_, _, wrapped)),) = one.rows
        case = Case(self, one.request_id, self.vault.unwrap(one.request_id, wrapped))
        case.usager_does(one.event)
        return case

    def forge_token(self, case: "Case", token: str) -> "Case":
        """Return another case of the same request, whose sealed contents hold another token of its page."""
        content = case.key.open(case.request_id, case.received.sealed, Content)
        sealed = case.key.seal(case.request_id, content.model_copy(update={"tracking_token": token}))
        return self.forge(case, sealed=sealed)

    def forge(self, case: "Case", **changes: Any) -> "Case":
        """Return another case of the same request as if intake had said other things of it."""
        forged = Case(self, case.request_id, case.key)
        forged.told(case.received.model_copy(update=changes))
        return forged


@dataclass
class Case:
    """One request, as the three services know it."""

    desk: Desk
    request_id: UUID
    key: RequestKey
    now: datetime = NOON
    tracked: TrackedRequest | None = None
    life: Life | None = None
    known: Correspondence | None = None
    events: list[Any] = field(default_factory=list)

    @property
    def received(self) -> requests.RequestReceived:
        """What intake said first."""
        first = self.events[0]
        assert isinstance(first, requests.RequestReceived)
        return first

    @property
    def gave_no_address(self) -> bool:
        """Whether the usager is to be called, not written to."""
        return self.key.open(self.request_id, self.received.sealed, Content).email is None

    def _context(self) -> Context:
        return Context(self.now, self.desk.authority, self.request_id)

    def usager_does(self, command: Any) -> None:
        """Let intake decide on an act of the usager."""
        change = INTAKE.step(self.tracked, command, self._context(), fact=False)
        self.tracked = change.state
        for event in change.events:
            self.told(event)

    def told(self, event: Any) -> None:
        """Let the router and the notifier take what intake says."""
        self.events.append(event)
        self._notify(event)
        self._live(event, fact=True)

    def _live(self, event: Any, *, fact: bool) -> None:
        change = ROUTER.step(self.life, event, self._context(), fact=fact)
        self.life = change.state
        for said in change.events:
            self.events.append(said)
            if isinstance(said, handling.LifeEvent):
                self.tracked = INTAKE.step(self.tracked, said, self._context(), fact=True).state
                self._notify(said)

    def _notify(self, event: Any) -> None:
        self.known = NOTIFIER.step(self.known, event, self._context(), fact=True).state

    def write(self, text: str) -> str:
        """The usager adds a message on the tracking page. Return it as it was taken."""
        return self._usager_writes(text, AddInformation)

    def reopen(self, text: str) -> str:
        """The usager says that it is not settled."""
        return self._usager_writes(text, AskReopening)

    def _usager_writes(self, text: str, command: type[AddInformation] | type[AskReopening]) -> str:
        cleaned = clean_text(text).strip()
        if not cleaned or len(cleaned) > 10_000:
            raise Refused("text")
        self.now += timedelta(minutes=1)
        self.usager_does(command(self.key.seal(self.request_id, UsagerMessage(text=cleaned))))
        return cleaned

    def act(self, action: Action, text: str, target: str = "") -> None:
        """An agent does something on the page of an action. Raises Refused."""
        assert self.life is not None
        self.now += timedelta(minutes=1)
        typed = Typed.from_form({"text": text, "target": target})
        if typed.errors(action, self.life, self.desk.authority, self.now):
            raise Refused("text")
        agent = self.desk.authority.mailbox(str(self.life.service))
        by = self.key.seal(self.request_id, AgentAct(agent=agent))
        told = typed.text_or_none
        sealed = self.key.seal(self.request_id, AgentAct(agent=agent, text=told)) if told else None
        act = Act(
            action=action,
            expected_version=self.life.version,
            mailbox=agent,
            target=target or None,
            by=by,
            sealed=sealed or (None if action in ("ask", "answer") else by),
        )
        before = len(self.events)
        self._live(act, fact=False)
        assert not any(isinstance(one, handling.CommandRefused) for one in self.events[before:]), "the router let it be done"

    def send_all(self) -> Iterator[Sent]:
        """Compose the letters that are due, and count them as sent. Raises what the composer raises."""
        while self.known is not None and self.known.due_letters:
            name, letter = next(iter(self.known.due_letters.items()))
            mail = self.desk.composer.compose(
                name,
                letter,
                self.known,
                request_id=self.request_id,
                authority=self.desk.authority,
                key=self.key,
                now=self.now,
            )
            yield Sent(name, mail, letter.recipient == "usager")
            self.known = NOTIFIER.step(self.known, LetterSent(name, 1), self._context(), fact=False).state
