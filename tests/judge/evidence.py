"""What the checker looks at: what the clients were told, the whole log, the tables that matter, the mails of the sink."""

import operator
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias
from uuid import UUID

import msgspec
from pydantic import BaseModel

from shared.events.envelope import TYPES
from shared.events.inbound import CommandIssued
from shared.events.topics import SERVICES
from shared.organisation import Authority

Outcome = Literal["done", "refused", "unknown"]
What = Literal["take_charge", "ask", "answer", "transfer", "resolve", "add", "withdraw", "reopen"]
"""All that people do to a request, but erasing it: see `History.erasures`."""
Row: TypeAlias = Mapping[str, Any]  # Any: what a column holds
Place: TypeAlias = tuple[str, int]
"""A topic and a partition."""
Written: TypeAlias = tuple[str, bytes]
"""Where it is, and what."""

SOFTWARE: Final = "business software"
"""Stands for the mailbox of who has none."""


@dataclass(frozen=True)
class Act:
    """What somebody did on a page, once, however often they clicked; `outcome` is what the page told them at the end."""

    request_id: UUID
    what: What
    outcome: Outcome
    told: str = ""
    """What the page said where it was not done: for whoever reads a violation."""
    version: int | None = None
    """The version of the request that its link was made for, or that a command expects, where that is known."""
    mailbox: str | None = None
    """The mailbox that its link was sent to; SOFTWARE: it is a command. None: not known."""
    target: str | None = None
    """The service that it was to be transferred to, where that is known."""
    why: str = ""
    """The code of the refusal that it was told and that is in the log."""


class Period(NamedTuple):
    """From when to when, by the clock of `Mail.arrived_at`."""

    began: datetime
    ended: datetime


@dataclass
class History:
    """What the clients know, and what whoever made the faults did to the log and to the notifier."""

    accepted: set[UUID] = field(default_factory=set)
    """Requests that were answered 2xx."""
    unknown: int = 0
    """How many posts had no answer that says what became of them."""
    marks: set[str] = field(default_factory=set)
    """Those of them that can be told apart, by their Idempotency-Key or by a service that nobody else asked for."""
    refused: set[str] = field(default_factory=set)
    """Posts that can only be refused, by their Idempotency-Key."""
    forged: set[UUID] = field(default_factory=set)
    """Requests that the test wrote into the log itself, and intake never took: they are no measure of the services."""
    spoilt: Counter[str] = field(default_factory=Counter)
    """How many records of each topic the test made unreadable. Sent anew within the batch, such a one leaves no trace."""
    disordered: set[tuple[str, UUID]] = field(default_factory=set)
    """Topics and requests whose records may lie in the log in another order than they were made: some came a second time only."""
    log_lost: bool = False
    """Whether the log was lost, and begun anew from the archives: what was parked of the lost one does not lie in this one."""
    acts: list[Act] | None = None
    """All that anybody did to these requests; None: others act too, and acts are not counted."""
    erasures: dict[UUID, Outcome] | None = None
    """What who wanted a request erased was told of it at last; None: others erase, too, and nobody counts them."""
    mail_losses: list[Period] = field(default_factory=list)
    """When the notifier may have died, or lost its server, between a mail and the note that it is sent."""
    notes_delayed: list[Period] = field(default_factory=list)
    """When no mail could be noted, or only late."""
    unnoted: Counter[str] | None = None
    """Where it is known exactly: how often a mail (by Message-ID) arrived without its note. None: `mail_losses` bounds it."""
    refused_mails: set[str] | None = None
    """Mails (by Message-ID) that the mail server refused for good. None: not known, and no refusal is judged."""
    addressless: set[UUID] | None = None
    """Requests whose usagers gave no address that a mail can go to. None: not known, and not judged."""
    unreadable: set[UUID] | None = field(default_factory=set)
    """Requests whose keys were lost for good, and which have new ones. None: there are some, and they are not judged."""
    longest_send: timedelta = timedelta(seconds=180)
    """How long a mail may be under way that was opened before its request was erased, where `Mail.opened_at` does not say it: as
    long as the notifier's lease. Its set goes on for 60 s, and one mail may take 120. The time of `notes_delayed` and
    `mail_losses` comes on top: where these are known, a mail that nothing held up takes much less."""
    canary: str = ""
    """A word that is in the text, the name or the address of everybody: in clear nowhere at all."""
    untold: Counter[str] = field(default_factory=Counter)
    """How many records each service parked in commits of which it never heard: it died then, or the answer was lost."""
    skews: dict[str, timedelta] | None = None
    """By service, how far its clocks were off at most, from the one that `created_at` of outbox rows goes by. None: not known."""
    reloads: list[datetime] = field(default_factory=list)
    """When the organisation was changed, by that clock: from each on the next of `Evidence.authorities` was there to be read."""
    quiet_at: datetime | None = None
    """An instant of the town's clock at which every service had seen all that was told."""
    checked_at: datetime | None = None
    """The instant of the town's clock up to which all that is due must have been done."""

    def give_up(self, mark: str) -> None:
        """Note a post of which nobody knows what became, by its mark."""
        self.unknown += 1
        self.marks.add(mark)

    def note_erasure(self, request_id: UUID, outcome: Outcome) -> None:
        """Note what somebody was told who wanted a request erased. Once done, it is done."""
        if self.erasures is not None and self.erasures.get(request_id) != "done":
            self.erasures[request_id] = outcome


@lru_cache
def _name_of(type_: str) -> str:
    return type_.removeprefix("fr.aiguilleur.").split(".")[1]


@dataclass(frozen=True)
class Record:
    """An event of a numbered topic of the log, such as its reader takes for one. `data`: its JSON."""

    topic: str
    request_id: UUID
    sequence: int
    type: str
    data: dict[str, Any]
    value: bytes = b""
    """Its bytes; b"": those of `data`."""
    decoded: Any = None
    """The event, where it is at hand already: to read it again takes most of the time of a fold."""

    @property
    def name(self) -> str:
        """The last words of its type: "taken_in_charge", "raised"..."""
        return _name_of(self.type)

    def instant(self, name: str = "at") -> datetime:
        """Return a field that is an instant."""
        return datetime.fromisoformat(self.data[name])

    def instant_of(self, part: str, name: str) -> datetime:
        """Return a field of a part of it that is an instant."""
        return datetime.fromisoformat(self.data[part][name])

    @cached_property
    def event(self) -> Any:
        """The event, as its class. Any: an event class."""
        if self.decoded is not None:
            return self.decoded
        cls: type[BaseModel] = TYPES[self.type]
        return cls.__pydantic_validator__.validate_json(self.value or msgspec.json.encode(self.data))


@dataclass(frozen=True)
class Asked:
    """A record of a topic that is open to others: known by its place, and by what its sender called it.

    `command`: what it says, of a record of `commands.v1`; None: that is not looked at.
    """

    topic: str
    partition: int
    offset: int
    source: str
    id: str
    command: CommandIssued | None = None


@dataclass(frozen=True)
class Mail:
    """A mail that the sink took. `arrived_at`: by the clock that `created_at` of outbox rows goes by, if it is known.

    `opened_at`: when the notifier read what it knew of the request, and its key, to send this; by the same clock, if it is known.
    """

    message_id: str
    arrived_at: datetime | None = None
    opened_at: datetime | None = None


@dataclass
class Evidence:
    """All that is looked at, once everything has come to rest.

    log: the numbered topics, duplicates too, each partition in its order. rows: see `tables.TABLES`. ends: the next offset of
    every partition that has records; {}: positions are not looked at. asked: the records of the open topics that can be read.
    asked_before: those of a log that was lost; some of them had been taken.
    authorities: by code, every configuration that was in force, in their order (see `History.reloads`). logged: how often each
    service logged each event, by (service, event); None: logs are not looked at. published: what the statistics' API answers
    about a month, by authority and first day. written: what else is written down, with where it is: the bytes of all records,
    of tables that are not in `rows`, of logs.
    """

    log: list[Record]
    rows: Mapping[str, Sequence[Row]]
    mails: list[Mail] = field(default_factory=list)
    ends: Mapping[Place, int] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    authorities: Mapping[str, Sequence[Authority]] = field(default_factory=dict)
    logged: Counter[tuple[str, str]] | None = None
    published: Mapping[tuple[str, date], Any] = field(default_factory=dict)  # Any: JSON
    written: Sequence[Written] = ()
    asked_before: list[Asked] = field(default_factory=list)

    @cached_property
    def by_topic(self) -> dict[str, dict[UUID, list[Record]]]:
        """What each topic says of each request, in order, each event once."""
        once: dict[str, dict[UUID, dict[int, Record]]] = defaultdict(lambda: defaultdict(dict))
        for one in self.log:
            once[one.topic][one.request_id].setdefault(one.sequence, one)
        ordered = operator.itemgetter(0)
        return {
            topic: {request_id: [one for _, one in sorted(events.items(), key=ordered)] for request_id, events in told.items()}
            for topic, told in once.items()
        }

    def told(self, topic: str, *, without: set[UUID]) -> dict[UUID, list[Record]]:
        """Return what a topic says of each request, in order, each event once."""
        return {request_id: told for request_id, told in self.by_topic.get(topic, {}).items() if request_id not in without}

    def received(self, *, without: set[UUID]) -> dict[UUID, Record]:
        """Return what each request began with. Where the log lacks it, `existence` says so, and there is no more to judge by."""
        told = self.told("requests.v1", without=without)
        return {request_id: events[0] for request_id, events in told.items() if events[0].name == "received"}

    @cached_property
    def message_ids(self) -> Counter[str]:
        """How often each mail is in the sink."""
        return Counter(mail.message_id for mail in self.mails)

    @cached_property
    def requests(self) -> dict[str, dict[UUID, Row]]:
        """The rows of each service's requests, by id."""
        return {one: {row["request_id"]: row for row in self.rows[f"{one}.request"]} for one in SERVICES}

    def parked(self, service: str) -> Iterator[Row]:
        """Give the records that a service still holds."""
        return (row for row in self.rows[f"{service}.parked"] if row["resolved_at"] is None)

    @cached_property
    def erased(self) -> set[UUID]:
        """The requests that their usagers had erased."""
        told = self.by_topic.get("requests.v1", {})
        return {request_id for request_id, events in told.items() if any(one.name == "erased" for one in events)}
