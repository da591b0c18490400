"""The mail servers of the town: they take mails, refuse them, put them off, are away, or lose their own answer."""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Literal, NamedTuple
from uuid import UUID

from services.notifier.domain.correspondence import Letter
from services.notifier.smtp import Answer, ServerAway, refusal_of
from services.notifier.writer import Paper
from shared.organisation import Installation
from tests.judge.evidence import Mail
from tests.simulation.scheduler import MILLISECOND, instant, pause

if TYPE_CHECKING:
    from datetime import datetime

    from tests.simulation.faults import Fault
    from tests.simulation.process import Process
    from tests.simulation.world import World

Address = Literal["good", "none", "refused", "slow"]


class Envelope(NamedTuple):
    """A mail: what it says is not simulated, whom it reaches is."""

    request_id: UUID
    name: str
    letter: Letter
    version: int
    mailbox: str | None
    """The mailbox of agents that it goes to; None for the usager."""
    authority: str
    opened_at: "datetime | None" = None
    """When the set that it belongs to was opened: what is known of its request, and the key, was read then."""

    @property
    def message_id(self) -> str:
        """The Message-ID: the same each time that the letter is sent."""
        return f"<{self.name}.{self.request_id}@town.example>"


class MailServer:
    """Everybody's mail server."""

    def __init__(self, world: "World", random: Random) -> None:
        self._world = world
        self._random = random
        self.mails: list[Mail] = []
        self.unnoted: Counter[str] = Counter()
        """How often each mail arrived and its sender died before it was noted, or did not hear that it was taken."""
        self.refused: set[str] = set()
        """The mails that it refused for good."""
        self.away_until = self.delaying_until = 0
        self.away_by: Fault | None = None
        self.delaying_by: Fault | None = None
        self.outcomes: Counter[str] = Counter()
        self._bounced: list[Envelope] = []

    @property
    def is_away(self) -> bool:
        """Whether nobody answers."""
        return self.away_until > self._world.scheduler.now

    def address(self, paper: Paper, installation: Installation, now: "datetime") -> Envelope | Answer:
        """Return the envelope of a letter; an answer where there is no address."""
        letter, known, one = paper.letter, paper.known, paper.claimed
        authority = installation.authority(known.authority)
        mailbox: str | None = None
        if letter.recipient != "usager":
            asked = known.subject.service if known.subject else None
            owner = authority.find_service(letter.service) or authority.owner_to_be(asked, now)
            mailbox = authority.recipient(owner.code, letter.recipient, at=now)
        elif self._world.address_of(one.request_id) == "none":
            self.outcomes["no address"] += 1
            return Answer("failed", "no_address", cause="letter")
        return Envelope(one.request_id, one.name, letter, known.version, mailbox, known.authority)

    def answer(self, mail: Envelope) -> Answer:
        """Say what becomes of a mail. Raises ServerAway."""
        if self.is_away:
            self.outcomes["away"] += 1
            self._met(self.away_by)
            raise ServerAway("unreachable")
        kind = self._world.address_of(mail.request_id) if mail.mailbox is None else "good"
        if kind == "refused":
            self.outcomes["refused"] += 1
            self.refused.add(mail.message_id)
            return refusal_of(550)
        delaying = self.delaying_until > self._world.scheduler.now
        if delaying:
            self._met(self.delaying_by)
        if delaying or (kind == "slow" and self._random.random() < 0.5):
            self.outcomes["put off"] += 1
            return refusal_of(451)
        self._world.check_mail(mail)
        self.mails.append(Mail(mail.message_id, instant(self._world.scheduler.now), mail.opened_at))
        self.outcomes["taken"] += 1
        return Answer("sent")

    def _met(self, fault: "Fault | None") -> None:
        if fault is not None:
            self._world.took_effect(fault)

    def bounce(self, mail: Envelope) -> None:
        """Return a mail that was taken to its envelope sender: it reaches nobody, and nobody reads what comes back."""
        self._bounced.append(mail)
        self.outcomes["bounced"] += 1

    def mistold_bounces(self) -> Iterator[str]:
        """Return each mail that came back and is not told as sent, as every mail is that a server has taken."""
        for mail in self._bounced:
            known = self._world.groups["notifier"].tables.state(mail.request_id)
            if known is None or (known.done.get(mail.name) != "sent" and not known.erased):
                told = known.done.get(mail.name) if known is not None else None
                yield f"9 bounced: {mail.name} of {mail.request_id} was taken and came back, it is told as {told}"


class Line:
    """A connection to it. `noted` says that the sender is through with the mails handed over: it has told what became of them."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._unnoted: list[Envelope] = []
        self.leased_until = 0
        """Until when nobody else sends what is handed over, by PostgreSQL's clock."""
        process.lines.append(self)

    @property
    def connected(self) -> bool:
        """Whether the connection stands."""
        return False

    async def send(self, mail: Envelope) -> Answer:
        """Hand one mail over. Raises ServerAway."""
        process, server = self._process, self._process.world.mail
        if process.group.armed and (fault := process.group.strike("smtp_stall")):
            process.world.note(f"the mail server keeps {process.name} waiting", mail.request_id, fault)
            await pause(fault.size)
        if process.world.slow and process.random.random() < process.world.slow:
            await pause(int(process.random.random() * 50 * MILLISECOND))
        answer = server.answer(mail)
        if answer.kind != "sent":
            return answer
        self._unnoted.append(mail)
        if process.group.armed:
            if fault := process.group.strike("sender_crash"):
                process.crash(f"between the mail {mail.name} and its note", fault)
            if fault := process.group.strike("mail_lost_answer"):
                self._unnoted.remove(mail)
                server.unnoted[mail.message_id] += 1
                process.world.note(f"the answer to the mail {mail.name} is lost", mail.request_id, fault)
                return Answer("retry", "lost")
            if fault := process.group.strike("mail_bounce"):
                server.bounce(mail)
                process.world.note(f"the mail {mail.name} comes back", mail.request_id, fault)
                return answer
        process.world.agents.read(mail)
        return answer

    def noted(self) -> None:
        """All that was handed over so far is told of, says the sender: none of it may come again, unless its lease was over.

        The faults that make a sender stand still are shorter than a lease, several at once are not.
        """
        if self._process.world.scheduler.now > self.leased_until:
            self._process.world.count("sender: stood still for longer than its lease")
            self._process.world.mail.unnoted.update(mail.message_id for mail in self._unnoted)
        self._unnoted.clear()

    def lost(self) -> None:
        """The process died: what was handed over and is still to be sent, as far as was committed, will be sent again."""
        for mail in self._unnoted:
            known = self._process.group.tables.state(mail.request_id)
            if known is not None and mail.name in known.letters:
                self._process.world.mail.unnoted[mail.message_id] += 1
        self._unnoted.clear()
