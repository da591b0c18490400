"""The mails: invariant 9. What the log wants, what the notifier says of it, what the sink has: sets of letters, by name."""

from collections.abc import Iterable
from typing import TypeAlias
from uuid import UUID

from tests.proof.evidence import Evidence, History, Record

Letter: TypeAlias = tuple[UUID, str]
MOST_IN_FLIGHT = 100
"""Mails that may be between the sink and the note that they are sent: four connections with a set of 25 each."""

_WANTED: dict[str, tuple[str, ...]] = {
    "received": ("receipt",),
    "assigned": ("assignment.{version}",),
    "transferred": ("assignment.{version}", "transfer_notice.{version}"),
    "reopened": ("assignment.{version}",),
    "usager_replied": ("usager_message.{version}",),
    "withdrawn": ("withdrawal.{version}",),
    "usager_asked": ("question.{version}",),
    "answered": ("answer.{version}",),
    "resolved": ("resolution.{version}",),
    "warned": ("warning.{promise}",),
    "raised": ("escalation.{promise}.{level}",),
}
"""The letters that each event makes, by the last words of its type."""


def wrong_mails(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each letter that was wanted and not told of, said to be sent and not there, or there and not wanted."""
    log = [one for one in evidence.log if one.request_id not in history.forged]
    wanted = {letter for one in log for letter in _letters_of(one)}
    told = [one for one in log if one.topic == "notifications.v1"]
    sent = {(one.request_id, one.data["letter"]) for one in told if one.name == "sent"}
    failed = {(one.request_id, one.data["letter"]) for one in told if one.name == "failed"}
    arrived = {letter for letter in map(_letter, evidence.message_ids) if letter[0] not in history.forged}
    yield from (f"9 no mail: {name} of {request} was neither sent nor failed" for request, name in wanted - sent - failed)
    yield from (f"9 nobody wanted: {name} of {request} was told" for request, name in (sent | failed) - wanted)
    yield from (f"9 told twice: {name} of {request}, sent and failed" for request, name in sent & failed)
    yield from (f"9 lost mail: {name} of {request} is said to be sent, the sink lacks it" for request, name in sent - arrived)
    yield from (f"9 unknown mail: the sink has {name} of {request}, no event wants it" for request, name in arrived - wanted)
    unsaid = arrived - sent
    if len(unsaid) > MOST_IN_FLIGHT * history.mail_losses:
        yield f"9 unsaid: the sink has {len(unsaid)} mails that nobody says to have sent, such as {sorted(unsaid)[:3]}"
    duplicates = sum(count - 1 for count in evidence.message_ids.values())
    if duplicates > MOST_IN_FLIGHT * history.mail_losses:
        yield f"9 duplicates: {duplicates} mails came more than once, the notifier lost its word {history.mail_losses} times"


def _letters_of(event: Record) -> Iterable[Letter]:
    if event.topic in ("requests.v1", "handling.v1", "escalations.v1"):
        for name in _WANTED.get(event.name, ()):
            yield event.request_id, name.format_map(event.data)


def _letter(message_id: str) -> Letter:
    """Read <name.request@domain>."""
    name, _, request_id = message_id.strip("<>").partition("@")[0].rpartition(".")
    return UUID(request_id), name
