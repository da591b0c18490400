"""Logs of a town: for each request, the events of each topic in their order. What the statistics read."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from shared.events import escalations, handling, notifications, requests

RECEIVED = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DUE = RECEIVED + timedelta(days=7)
SERVICES = ("voirie", "urbanisme", "etat-civil", "ccas")
CHANNELS: tuple[requests.Channel, ...] = ("web", "phone", "desk")
Log = list[list[BaseModel]]
"""The topics of one request."""


def request_id(number: int) -> UUID:
    return UUID(int=(0x0189 << 112) | (7 << 76) | (2 << 62) | number)


class Request:
    """Makes the events of one request; `service` is its owner."""

    def __init__(self, number: int, *, service: str = "voirie", channel: requests.Channel = "web", day: int = 23) -> None:
        self.at = RECEIVED.replace(day=day)
        self.service = service
        self.channel = channel
        self._base: dict[str, Any] = {"request_id": request_id(number), "authority": "rivemont", "at": self.at}
        self._version = 0

    def received(self) -> requests.RequestReceived:
        promise = requests.Promise(
            code="defaut",
            kind="taking_charge",
            label="48 heures",
            start_at=self.at,
            working_seconds=48 * 3600,
            warn_at=DUE - timedelta(days=2),
            due_at=DUE,
            calendar="bureaux",
            calendar_version=1,
            ladder="ordinaire",
        )
        return requests.RequestReceived(
            **self._base,
            reference="K7M2Q9XC",
            channel=self.channel,
            service=self.service,
            category=None,
            language="fr",
            demande=False,
            promise=promise,
            unowned_due_at=self.at + timedelta(minutes=30),
            received_on=self.at.date(),
            sealed="AAAA",
        )

    def erased(self) -> requests.RequestErased:
        return requests.RequestErased(**self._base)

    def registered(self) -> handling.RequestRegistered:
        told = {"reference": "K7M2Q9XC", "channel": self.channel, "category": None}
        return handling.RequestRegistered(**self._life("registered", None), **told)

    def assigned(self) -> handling.RequestAssigned:
        return handling.RequestAssigned(**self._life("assigned", self.service), reason="chosen")

    def transferred(self, to: str) -> handling.RequestTransferred:
        before, self.service = self.service, to
        return handling.RequestTransferred(**self._life("assigned", to), from_service=before, reason="agent")

    def taken(self, *, minutes: int = 60, late: bool = False) -> handling.TakenInCharge:
        at = DUE + timedelta(hours=1) if late else DUE
        told = self._life("in_charge", self.service) | {"at": at}
        return handling.TakenInCharge(**told, received_at=self.at, due_at=DUE, elapsed_working_seconds=minutes * 60)

    def answered(self) -> handling.RequestAnswered:
        return handling.RequestAnswered(**self._life("answered", self.service), elapsed_working_seconds=7200, sealed="AAAA")

    def resolved(self) -> handling.RequestResolved:
        return handling.RequestResolved(**self._life("resolved", None), elapsed_working_seconds=9000)

    def reopened(self) -> handling.RequestReopened:
        return handling.RequestReopened(**self._life("assigned", self.service))

    def withdrawn(self) -> handling.RequestWithdrawn:
        return handling.RequestWithdrawn(**self._life("withdrawn", None))

    def missed(self, promise: escalations.ClockName = "taking_charge") -> escalations.PromiseMissed:
        told = self._escalation(promise)
        return escalations.PromiseMissed(**told, next_level=1, next_at=DUE)

    def warned(self) -> escalations.PromiseWarned:
        return escalations.PromiseWarned(**self._escalation("taking_charge"))

    def raised(self, level: int) -> escalations.EscalationRaised:
        return escalations.EscalationRaised(**self._escalation("taking_charge"), level=level, tell="cover")

    def mail(self, kind: notifications.LetterKind = "receipt") -> notifications.MailSent:
        told = {"letter": f"{kind}-1", "kind": kind, "recipient": "usager", "service": self.service, "attempts": 1}
        return notifications.MailSent(**self._base, **told)

    def failed_mail(self) -> notifications.MailFailed:
        told = {"letter": "receipt-1", "kind": "receipt", "recipient": "usager", "service": self.service, "attempts": 3}
        return notifications.MailFailed(**self._base, **told, why="refused")

    def _life(self, status: handling.Status, service: str | None) -> dict[str, Any]:
        self._version += 1
        return self._base | {"version": self._version, "status": status, "service": service}

    def _escalation(self, promise: escalations.ClockName) -> dict[str, Any]:
        service = self.service if promise == "taking_charge" else None
        return self._base | {"promise": promise, "service": service, "due_at": DUE}


def random_log(random: Random, number: int) -> Log:
    """A request's life as the services could have written it."""
    one = Request(number, service=random.choice(SERVICES), channel=random.choice(CHANNELS), day=random.randint(1, 28))
    asked: list[BaseModel] = [one.received()]
    told: list[BaseModel] = [one.registered(), one.assigned()]
    raised: list[BaseModel] = [one.missed("unowned")] if random.random() < 0.1 else []
    mails: list[BaseModel] = [one.mail(), one.mail("assignment")]
    if random.random() < 0.3:
        raised += [one.warned(), one.missed(), *(one.raised(level) for level in range(1, random.randint(2, 4)))]
    for _ in range(random.randint(0, 3)):
        told += _happening(random, one)
    if random.random() < 0.2:
        mails.append(one.failed_mail())
    if random.random() < 0.2:
        asked.append(one.erased())
    return [asked, told, raised, mails]


def _happening(random: Random, one: Request) -> list[BaseModel]:
    happens = random.choice(["transfer", "take", "answer", "close", "withdraw"])
    if happens == "transfer":
        return [one.transferred(random.choice([service for service in SERVICES if service != one.service]))]
    if happens == "take":
        return [one.taken(minutes=random.randint(0, 3000), late=random.random() < 0.3)]
    if happens == "answer":
        return [one.taken(minutes=random.randint(0, 3000)), one.answered()]
    return [one.resolved(), one.reopened()] if happens == "close" else [one.withdrawn()]
