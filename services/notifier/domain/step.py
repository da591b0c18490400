"""The notifier's step: which letters there are to send, and what became of them."""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from pydantic import BaseModel

from services.notifier.domain.correspondence import Correspondence, Letter, Outcome, Subject
from services.notifier.domain.letters import letters_of
from shared.delivery.service import Context
from shared.events import handling, notifications, requests

Events = tuple[BaseModel, ...]


class LetterSent(Struct, frozen=True):
    """A command: the mail server took the letter."""

    letter: str
    attempts: int


class LetterFailed(Struct, frozen=True):
    """A command: the letter is given up. `why` is a code (refused, no_address, bad_address, erased, out_of_tries...)."""

    letter: str
    why: str
    attempts: int


def decide(known: Correspondence | None, event: Any, context: Context) -> Events:
    """Return what became of letters: of the one that a command is about, or of all that an erasure makes unreadable.

    A command about a letter that is no longer to be sent changes nothing: it was told before, or erased meanwhile.
    """
    match event:
        case LetterSent() | LetterFailed():
            letter = known.letters.get(event.letter) if known is not None else None
            return () if known is None or letter is None else (_tell(event, letter, known.authority, context),)
        case _:
            lost = _lost(known or Correspondence(event.authority), event)
            return tuple(
                _tell(LetterFailed(name, "erased", 0), letter, event.authority, context) for name, letter in lost.items()
            )


def _tell(outcome: LetterSent | LetterFailed, letter: Letter, authority: str, context: Context) -> BaseModel:
    told = {
        "request_id": context.request_id,
        "authority": authority,
        "at": context.now,
        "letter": outcome.letter,
        "kind": letter.kind,
        "recipient": letter.recipient,
        "service": letter.service,
        "attempts": outcome.attempts,
    }
    if isinstance(outcome, LetterSent):
        return notifications.MailSent(**told)
    return notifications.MailFailed(**told, why=outcome.why)


def _lost(known: Correspondence, event: Any) -> dict[str, Letter]:
    """Return the letters that were to be sent, or would be, had the request not been erased."""
    if not (known.erased or _erases(event)):
        return {}
    wanted = known.letters | letters_of(event, _owner_after(known, event))
    return {name: letter for name, letter in wanted.items() if name not in known.done}


def evolve(known: Correspondence | None, event: Any) -> Correspondence | None:
    """Return the correspondence after a fact: of another service, or our own."""
    before = known or Correspondence(event.authority)
    match event:
        case notifications.MailSent():
            return _finished(before, event.letter, "sent")
        case notifications.MailFailed():
            return _finished(before, event.letter, "failed")
        case _:
            after = _moved(before, event)
            if after.erased:
                return after
            fresh = {name: letter for name, letter in letters_of(event, after.owner).items() if name not in after.done}
            return replace(after, letters=after.letters | fresh) if fresh else after


def _finished(known: Correspondence, name: str, outcome: Outcome) -> Correspondence:
    letters = {other: letter for other, letter in known.letters.items() if other != name}
    return replace(known, letters=letters, done=known.done | {name: outcome})


def _moved(known: Correspondence, event: Any) -> Correspondence:
    """Return what is known after a fact, its letters left aside. What was sealed is dropped once it was erased."""
    match event:
        case requests.RequestReceived():
            known = replace(known, subject=_subject(event))
        case handling.LifeEvent():
            known = replace(known, owner=_owner_after(known, event), status=event.status, version=event.version)
        case _:
            pass
    if not (known.erased or _erases(event)):
        return known
    subject = replace(known.subject, sealed=None) if known.subject else None
    return replace(known, erased=True, subject=subject, letters={})


def _erases(event: Any) -> bool:
    return isinstance(event, requests.RequestErased | handling.RequestForgotten)


def _owner_after(known: Correspondence, event: Any) -> str | None:
    return (event.service or known.owner) if isinstance(event, handling.LifeEvent) else known.owner


def _subject(event: requests.RequestReceived) -> Subject:
    return Subject(
        reference=event.reference,
        channel=event.channel,
        service=event.service,
        category=event.category,
        language=event.language,
        demande=event.demande,
        received_at=event.at,
        promise_label=event.promise.label,
        due_at=event.promise.due_at,
        sealed=event.sealed,
    )
