"""A small service to try the shell with: it notes what it hears of a request, and says how often it was told something.

It stands in the notifier's place, on the notifier's topics and tables.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from shared.delivery.errors import InputRefused
from shared.delivery.service import Context, Service
from shared.delivery.values import RawRecord
from shared.events.envelope import encode_headers, encode_value
from shared.events.escalations import PromiseWarned
from shared.events.notifications import MailSent
from shared.events.requests import InformationAdded

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
REQUEST = UUID("01990b6e-4a10-7c3e-9d52-6f0c1b7a2e41")
OTHER = UUID("01990b6e-4a10-7c3e-9d52-6f0c1b7a2e42")


@dataclass(frozen=True, slots=True)
class Notes:
    """What was heard, a field per topic; `sent` is what was said."""

    heard: tuple[str, ...] = ()
    warned: tuple[datetime, ...] = ()
    sent: tuple[str, ...] = ()
    odd: Any = None


@dataclass(frozen=True, slots=True)
class Say:
    """A command: say this."""

    letter: str


class Faults:
    """What the service stumbles over; emptied, it is mended."""

    poison: frozenset[str] = frozenset({"poison"})


def decide(notes: Notes | None, event: Any, context: Context) -> tuple[BaseModel, ...]:
    match event:
        case InformationAdded(sealed=text) if text in Faults.poison:
            raise ValueError(text)
        case InformationAdded(sealed="refused"):
            raise InputRefused("skip it")
        case InformationAdded(sealed=text):
            return (_mail(text, context),)
        case Say(letter="refused"):
            raise InputRefused("not that")
        case Say(letter=letter):
            return (_mail(letter, context),)
        case PromiseWarned():
            return ()
        case _:
            raise TypeError(type(event).__name__)


def _mail(letter: str, context: Context) -> MailSent:
    told = {"request_id": context.request_id, "authority": "rivemont", "at": context.now, "service": None}
    return MailSent(**told, letter=letter, kind="receipt", recipient="usager", attempts=1)


def evolve(notes: Notes | None, event: Any) -> Notes | None:
    notes = notes or Notes()
    match event:
        case InformationAdded(sealed="unencodable"):
            return replace(notes, odd=object())
        case InformationAdded(sealed=text):
            return replace(notes, heard=(*notes.heard, text))
        case PromiseWarned(at=at):
            return replace(notes, warned=(*notes.warned, at))
        case MailSent(letter=letter):
            return replace(notes, sent=(*notes.sent, letter))
        case _:
            return notes


def project(_request_id: UUID, _before: Notes | None, after: Notes | None) -> tuple[()]:
    if after is not None and "unprojectable" in after.heard:
        raise KeyError("no row for that")
    return ()


SAMPLE: Service[Notes] = Service(name="notifier", state=Notes, decide=decide, evolve=evolve, project=project)


def added(sequence: int, text: str, request_id: UUID = REQUEST, *, offset: int = 0) -> RawRecord:
    """A record of requests.v1: somebody added a text."""
    event = InformationAdded(request_id=request_id, authority="rivemont", at=NOW + timedelta(minutes=sequence), sealed=text)
    return record("requests.v1", event, sequence, offset=offset)


def warned(sequence: int, request_id: UUID = REQUEST, *, offset: int = 0) -> RawRecord:
    """A record of escalations.v1: a promise is about to break."""
    at = NOW + timedelta(hours=sequence)
    told = {"request_id": request_id, "authority": "rivemont", "at": at, "promise": "taking_charge", "service": None}
    return record("escalations.v1", PromiseWarned(**told, due_at=at), sequence, offset=offset)


def record(topic: str, event: Any, sequence: int, *, offset: int = 0) -> RawRecord:
    """An event as its writer's relay publishes it."""
    name = f"{event.request_id}.{topic}.{sequence}"
    headers = encode_headers(type=event.type_, source="/test", id=name, sequence=sequence, time=event.at, traceparent=None)
    return RawRecord(topic, 0, offset, str(event.request_id).encode(), tuple(headers), encode_value(event))
