"""The mails: invariant 9, and of 12 that wanted = sent + pending + refused. Sets of letters, by name."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from tests.judge.evidence import Evidence, History, Record
from tests.judge.outboxes import committed_at
from tests.judge.repeats import unexplained_mails

Letter: TypeAlias = tuple[UUID, str]
TRIED_FOR = timedelta(hours=72)
"""For so long, from what it tells of, a letter that is refused for now is not given up."""
LONGEST_TRIED = TRIED_FOR + timedelta(hours=1, minutes=12)
"""And the longest wait between two tries: past it a letter is sent or given up."""
_APART = timedelta(minutes=5)
"""How far two clocks of a real town may be apart, the chaos having put them off or back: by half a minute, or by 90 s."""
_ROUNDED = timedelta(milliseconds=1)

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
    wants = _wants(evidence, history)
    wanted = wants.keys()
    told = [one for one in evidence.log if one.topic == "notifications.v1" and one.request_id not in history.forged]
    sent = {(one.request_id, one.data["letter"]) for one in told if one.name == "sent"}
    failed = {(one.request_id, one.data["letter"]) for one in told if one.name == "failed"}
    # Given up because their requests were erased: one of them may have been under way just then.
    crossed = {(one.request_id, one.data["letter"]) for one in told if one.name == "failed" and one.data["why"] == "erased"}
    pending = {(row["request_id"], row["name"]) for row in evidence.rows["notifier.letter"]} - _about(history.forged, evidence)
    arrived = {letter for letter in map(letter_of, evidence.message_ids) if letter[0] not in history.forged}
    for request, name in wanted - sent - failed - pending:
        yield f"9 no mail: {name} of {request} was neither sent nor failed, and is not to be sent"
    yield from (f"9 nobody wanted: {name} of {request} was told" for request, name in (sent | failed) - wanted)
    yield from (f"9 nobody wanted: {name} of {request} is to be sent" for request, name in pending - wanted)
    yield from (f"9 told twice: {name} of {request}, sent and failed" for request, name in sent & failed)
    yield from (f"9 still to be sent: {name} of {request} was told already" for request, name in pending & (sent | failed))
    yield from (f"9 lost mail: {name} of {request} is said to be sent, the sink lacks it" for request, name in sent - arrived)
    yield from (f"9 unknown mail: the sink has {name} of {request}, no event wants it" for request, name in arrived - wanted)
    yield from _given_up_wrongly(evidence, history, wants)
    yield from _told_more_than_once(told)
    yield from _too_many(evidence, history, arrived - sent - crossed)
    yield from _too_early(evidence, wants)
    if len(wanted) != len(sent | failed) + len(pending - sent - failed):
        yield f"12 mails: {len(wanted)} wanted, {len(sent)} sent, {len(pending)} pending, {len(failed)} refused"
    if history.checked_at is not None:
        for request, name in pending & wanted:
            if wants[request, name].instant() + LONGEST_TRIED < history.checked_at:
                yield f"13 pending: {name} of {request} is to be sent since {wants[request, name].data['at']}"


def _about(requests: set[UUID], evidence: Evidence) -> set[Letter]:
    return {(row["request_id"], row["name"]) for row in evidence.rows["notifier.letter"] if row["request_id"] in requests}


def _wants(evidence: Evidence, history: History) -> dict[Letter, Record]:
    """Return each letter that the log wants, with the event that does."""
    wants: dict[Letter, Record] = {}
    for one in evidence.log:
        if one.request_id in history.forged or one.topic not in ("requests.v1", "handling.v1", "escalations.v1"):
            continue
        for name in _WANTED.get(one.name, ()):
            wants.setdefault((one.request_id, name.format_map(one.data)), one)
    return wants


def _given_up_wrongly(evidence: Evidence, history: History, wants: dict[Letter, Record]) -> Iterable[str]:
    """A letter is given up for what its `why` says alone, and that has to be so."""
    for told in evidence.told("notifications.v1", without=history.forged).values():
        for one in told:
            wanted = wants.get((one.request_id, one.data["letter"]))
            if one.name == "failed" and wanted is not None and not _is_so(one, wanted, evidence, history):
                yield f"9 given up: {one.data['letter']} of {one.request_id}, as {one.data['why']}, which it is not"


def _is_so(failed: Record, wanted: Record, evidence: Evidence, history: History) -> bool:
    """Whether a letter may be given up as it was, as far as is known. What goes to a usager goes to one address."""
    request_id, to_usager = failed.request_id, failed.data["recipient"] == "usager"
    match failed.data["why"]:
        case "erased":
            return request_id in evidence.erased
        case "refused":
            refused = history.refused_mails
            return refused is None or (request_id, failed.data["letter"]) in map(letter_of, refused)
        case "no_address" | "bad_address" | "address_not_supported":
            return to_usager and (history.addressless is None or request_id in history.addressless)
        case "unreadable":
            return to_usager and (history.unreadable is None or request_id in history.unreadable)
        case "out_of_tries":
            apart = 2 * max(history.skews.values()) if history.skews is not None else _APART
            return failed.instant() - wanted.instant() + apart >= TRIED_FOR
        case _:
            return False


def _told_more_than_once(told: list[Record]) -> Iterable[str]:
    places: dict[Letter, int] = {}
    for one in told:
        first = places.setdefault((one.request_id, one.data["letter"]), one.sequence)
        if first != one.sequence:
            yield f"9 told twice: {one.data['letter']} of {one.request_id}, as {first} and as {one.sequence}"


def _too_many(evidence: Evidence, history: History, unsaid: set[Letter]) -> Iterable[str]:
    """A mail comes once, and once more for each time that the note of it was lost, always with its own Message-ID."""
    if history.unnoted is None:
        yield from unexplained_mails(evidence, history, {name for name in evidence.message_ids if letter_of(name) in unsaid})
        return
    again = {name: count - 1 for name, count in evidence.message_ids.items() if count > 1}
    for name, more in again.items():
        if more > history.unnoted[name]:
            yield f"9 duplicates: {name} came {more + 1} times, its note was lost {history.unnoted[name]} times"
    unsaid -= {letter_of(name) for name in history.unnoted}
    yield from (f"9 unsaid: the sink has {name} of {request}, nobody says to have sent it" for request, name in unsaid)


def _too_early(evidence: Evidence, wants: dict[Letter, Record]) -> Iterable[str]:
    """No mail comes before the transaction began that committed the event it tells of."""
    committed = committed_at(evidence)
    for mail in evidence.mails:
        why = wants.get(letter_of(mail.message_id))
        if why is None or mail.arrived_at is None:
            continue
        since = committed.get((why.topic, why.request_id, why.sequence))
        if since is not None and mail.arrived_at + _ROUNDED < since:
            yield f"9 before its commit: {mail.message_id} came at {mail.arrived_at}, it was committed after {since}"


def letter_of(message_id: str) -> Letter:
    """Read <name.request@domain>; what has another form is a letter that nobody wants."""
    name, _, request_id = message_id.strip("<>").partition("@")[0].rpartition(".")
    try:
        return UUID(request_id), name
    except ValueError:
        return UUID(int=0), message_id
