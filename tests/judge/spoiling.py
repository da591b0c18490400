"""What can be done to the evidence of a town so that all is not well any more."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from shared.events.handling import Action
from shared.events.inbound import CommandIssued
from tests.judge.disclosure import CHANNELS
from tests.judge.evidence import Act, Evidence, Mail, Outcome, Period, Record
from tests.judge.evidence import Asked as AskedRecord
from tests.judge.small_town import AUTHORITY, MONDAY
from tests.judge.story import Story
from tests.simulation.installations import changed

NOBODY = UUID(int=99)
OWNER = AUTHORITY.service("proprete").mailbox
"""Of whoever owns the request that everybody worked on, in the end."""
_MONTH = ("rivemont", MONDAY.date().replace(day=1))
_COLUMNS = ("received", "taken_in_charge", "escalated", "transferred")


def double_the_positions(evidence: Evidence) -> None:
    evidence.ends = {place: 2 * end for place, end in evidence.ends.items()}
    for table, rows in evidence.rows.items():
        if table.endswith(".position"):
            for row in rows:
                row["next_offset"] *= 2  # type: ignore[index]  # a row of the small town


def find(evidence: Evidence, topic: str, request_id: UUID, name: str) -> Record:
    return next(one for one in evidence.log if (one.topic, one.request_id, one.name) == (topic, request_id, name))


def find_row(evidence: Evidence, table: str, **known: Any) -> dict[str, Any]:  # Any: what columns hold
    rows: Any = evidence.rows[table]
    return next(row for row in rows if known.items() <= row.items())


def drop_row(evidence: Evidence, table: str, **known: Any) -> None:
    evidence.rows[table].remove(find_row(evidence, table, **known))  # type: ignore[attr-defined]  # a list


def add_row(evidence: Evidence, table: str, **row: Any) -> None:
    evidence.rows.setdefault(table, []).append(row)  # type: ignore[attr-defined]  # a dict of lists


def log_parked(evidence: Evidence, **parked: int) -> None:
    """Have services have logged so many times that they parked something."""
    evidence.logged = Counter({(service, "delivery.parked"): count for service, count in parked.items()})


def publish(evidence: Evidence, *, total: int | None = None, **services: int | None) -> None:
    """Have the service of the statistics answer so about the requests received in the story's month; all else is hidden."""

    def line(received: int | None) -> dict[str, Any]:
        return {column: {"amount": received if column == "received" else None} for column in _COLUMNS}

    lines = [{"code": code} | line(amount) for code, amount in services.items()]
    evidence.published = {_MONTH: {"total": line(total), "services": lines, "channels": []}}


def publish_nothing(evidence: Evidence) -> None:
    """Have the service of the statistics hide everything of the story's month."""
    nothing = {column: {"amount": None} for column in _COLUMNS}
    services = [{"code": service.code} | nothing for service in AUTHORITY.services_public()]
    channels = [{"code": code} | nothing for code in CHANNELS]
    evidence.published = {_MONTH: {"total": nothing, "services": services, "channels": channels}}


def ask(evidence: Evidence, request_id: UUID, action: Action, *, authority: str = "rivemont") -> None:
    """Have business software have asked for something."""
    command = CommandIssued(request_id=request_id, authority=authority, at=MONDAY, action=action)
    evidence.asked.append(AskedRecord("commands.v1", 0, 0, "erp", "1", command))


def issue(evidence: Evidence, request_id: UUID, action: Action, *, unsealed: str = "") -> None:
    """Have business software have asked for something, and the router have taken it. `unsealed`: an event that names no agent."""
    ask(evidence, request_id, action)
    add_row(evidence, "router.inbox", source="erp", id="1")
    if unsealed:
        alter(evidence, "handling.v1", request_id, unsealed, sealed=None)


def refuse(evidence: Evidence, request_id: UUID, *, parked_at: datetime, authority: str = "rivemont") -> None:
    """Have business software have asked for something, the router have parked it, and an operator have skipped it."""
    ask(evidence, request_id, "resolve", authority=authority)
    row = {"request_id": None, "topic": "commands.v1", "sequence": None, "partition": 0, "offset": 0, "why": "refused"}
    add_row(evidence, "router.parked", **row, parked_at=parked_at, resolved_at=parked_at, resolution="skipped")


def park_and_say(story: Story, evidence: Evidence, *, times: int) -> None:
    log_parked(evidence, sla=times)
    park(evidence, "sla", find(evidence, "handling.v1", story.worked, "answered"))


def park(evidence: Evidence, service: str, one: Record, **more: Any) -> None:
    row = {"request_id": one.request_id, "topic": one.topic, "sequence": one.sequence, "partition": 0, "offset": 9}
    add_row(evidence, f"{service}.parked", **row, why="gap", resolved_at=None, resolution=None, **more)
    find_row(evidence, f"{service}.request", request_id=one.request_id)["held"] = True


def park_garbage(evidence: Evidence, service: str, topic: str) -> None:
    """Have a service have parked what nobody can read, and an operator have skipped it."""
    row = {"request_id": None, "topic": topic, "sequence": None, "partition": 0, "offset": 0, "why": "undecodable"}
    add_row(evidence, f"{service}.parked", **row, resolved_at=MONDAY, resolution="skipped")


def alter(evidence: Evidence, topic: str, request_id: UUID, name: str, *, committed: bool = True, **data: Any) -> None:
    """Have an event say something else, in the log, and in the outbox too when it is `committed` so."""
    one = find(evidence, topic, request_id, name)
    altered = replace(one, data=one.data | data, value=msgspec.json.encode(one.data | data))
    evidence.log[evidence.log.index(one)] = altered
    if committed:
        service = {"requests.v1": "intake", "handling.v1": "router", "queues.v1": "router"}.get(topic, "sla")
        find_row(evidence, f"{service}.outbox", topic=topic, request_id=request_id, sequence=one.sequence)["value"] = (
            altered.value
        )


def forget(evidence: Evidence, topic: str, request_id: UUID, name: str) -> None:
    evidence.log.remove(find(evidence, topic, request_id, name))


def forge_and_forget(story: Story, evidence: Evidence) -> None:
    """Have a request be one that the test itself wrote, of which an event of the router is missing."""
    story.history.forged.add(story.worked)
    forget(evidence, "handling.v1", story.worked, "resolved")


def repeat(evidence: Evidence, topic: str, request_id: UUID, name: str, **data: Any) -> None:
    """Write an event once more, as a new one."""
    one = find(evidence, topic, request_id, name)
    last = max(other.sequence for other in evidence.log if (other.topic, other.request_id) == (topic, request_id))
    told = one.data | data
    evidence.log.append(replace(one, sequence=last + 1, data=told, value=msgspec.json.encode(told)))


def swap(evidence: Evidence, topic: str, request_id: UUID) -> None:
    places = [place for place, one in enumerate(evidence.log) if (one.topic, one.request_id) == (topic, request_id)]
    first, second = places[:2]
    evidence.log[first], evidence.log[second] = evidence.log[second], evidence.log[first]


def change_state(evidence: Evidence, service: str, request_id: UUID, change: Callable[[Any], object]) -> None:
    row = find_row(evidence, f"{service}.request", request_id=request_id)
    state = msgspec.json.decode(row["state"])
    change(state)
    row["state"] = msgspec.json.encode(state)


def mail_of(request_id: UUID, name: str, **more: Any) -> Mail:
    return Mail(f"<{name}.{request_id}@rivemont.example>", **more)


def drop_mail(evidence: Evidence, request_id: UUID, name: str) -> None:
    evidence.mails = [one for one in evidence.mails if one.message_id != mail_of(request_id, name).message_id]


def change_promise(evidence: Evidence, request_id: UUID, change: Callable[[dict[str, Any]], object]) -> None:
    promise = dict(find(evidence, "requests.v1", request_id, "received").data["promise"])
    change(promise)
    alter(evidence, "requests.v1", request_id, "received", promise=promise)


def ghost(story: Story, evidence: Evidence) -> None:
    add_row(evidence, "router.request", **find_row(evidence, "router.request", request_id=story.worked) | {"request_id": NOBODY})


def write(evidence: Evidence, request_id: UUID, detail: str) -> None:
    park(evidence, "stats", next(one for one in evidence.log if one.request_id == request_id), detail=detail)


def add_session(evidence: Evidence, **more: Any) -> None:
    add_row(evidence, "pg.session", pid=7, application="router", open_seconds=5.1, **more)


def park_and_let_go(story: Story, evidence: Evidence) -> None:
    park(evidence, "stats", find(evidence, "handling.v1", story.worked, "answered"))
    find_row(evidence, "stats.request", request_id=story.worked)["held"] = False


def give_up(evidence: Evidence, request_id: UUID, why: str, *, after: timedelta = timedelta()) -> None:
    """Have the notifier have given the receipt of a request up instead of sending it, so long after the request came."""
    one = next(one for one in evidence.log if one.request_id == request_id and one.data.get("letter") == "receipt")
    data = one.data | {"why": why, "at": (find(evidence, "requests.v1", request_id, "received").instant() + after).isoformat()}
    evidence.log[evidence.log.index(one)] = replace(one, type="fr.aiguilleur.notification.failed.v1", data=data, value=b"")


def give_up_unrefused(story: Story, evidence: Evidence) -> None:
    """Have the receipt be given up as refused, where the mail server refused another mail only."""
    story.history.refused_mails = {mail_of(story.resolved, "receipt").message_id}
    give_up(evidence, story.worked, "refused")


def give_up_addressed(story: Story, evidence: Evidence) -> None:
    """Have the receipt be given up for want of an address, which another request alone lacks."""
    story.history.addressless = {story.resolved}
    give_up(evidence, story.worked, "no_address")


def change_organisation(story: Story, evidence: Evidence, *, before: timedelta, back: bool = False) -> None:
    """Have the organisation have been changed so long before the requests came; `back`: to what it is otherwise."""
    versions = [AUTHORITY, changed().authority(AUTHORITY.code)]
    evidence.authorities = {AUTHORITY.code: versions[::-1] if back else versions}
    story.history.reloads = [MONDAY - before]


def fire_early(story: Story, evidence: Evidence, *, skew: timedelta = timedelta()) -> None:
    """Have a warning have been committed an hour before it was due, whatever it says; `skew`: how far a clock was off."""
    assert story.history.skews is not None
    story.history.skews["sla"] = skew
    one = find(evidence, "escalations.v1", story.untouched, "warned")
    row = find_row(evidence, "sla.outbox", topic=one.topic, request_id=one.request_id, sequence=one.sequence)
    row["created_at"] = one.instant() - timedelta(hours=1)


def send_again(story: Story, evidence: Evidence) -> None:
    story.history.unnoted = Counter()
    evidence.mails.append(evidence.mails[0])


def tell_erasures(story: Story, **told: Outcome) -> None:
    """Have usagers of the story have been told so of their erasures, by what the story calls their requests."""
    story.history.erasures = {getattr(story, name): outcome for name, outcome in told.items()}


def mail_the_erased(story: Story, evidence: Evidence, *, after: timedelta, struck: timedelta = timedelta()) -> None:
    """Have a mail have come so long after its request was erased; `struck`: how much of this time the notifier was struck."""
    erased = find(evidence, "requests.v1", story.erased, "erased")
    at = find_row(evidence, "intake.outbox", request_id=story.erased, topic=erased.topic, sequence=erased.sequence)["created_at"]
    story.history.longest_send = timedelta(seconds=20)
    story.history.notes_delayed = [Period(at + timedelta(seconds=2), at + timedelta(seconds=2) + struck)]
    evidence.mails = [one for one in evidence.mails if one.message_id != mail_of(story.erased, "receipt").message_id]
    evidence.mails.append(mail_of(story.erased, "receipt", arrived_at=at + after))


def keep_refused(story: Story, evidence: Evidence) -> None:
    story.history.refused.add("a-key")
    add_row(evidence, "intake.inbox", source="api/ailleurs", id="a-key", request_id=NOBODY)


def tell_canary(story: Story, evidence: Evidence) -> None:
    story.history.canary = "canari"
    write(evidence, story.worked, "mon canari")


def say_refused(
    story: Story,
    evidence: Evidence,
    action: str,
    why: str,
    *,
    request_id: UUID | None = None,
    behind: int | None = None,
    **known: Any,
) -> None:
    """Have the router have refused an act at the end of a life, by a link made `behind` versions before; None: by none.

    `known`: what is known of whoever was told so (see Act); without it nobody was.
    """
    request_id = request_id or story.worked
    life = [one for one in evidence.log if (one.topic, one.request_id) == ("handling.v1", request_id)]
    last = max(life, key=lambda one: one.sequence)
    version = last.data["version"]
    since = None if behind is None else version - behind
    names = ("request_id", "authority", "at", "version", "status", "service")
    data = {name: last.data[name] for name in names} | {"action": action, "why": why, "since": since}
    refused = "fr.aiguilleur.handling.command_refused.v1"
    evidence.log.append(Record("handling.v1", request_id, last.sequence + 1, refused, data))
    if known:
        story.done.append(Act(request_id, action, "refused", why, since, why=why, **known))  # type: ignore[arg-type]  # a word of Act


def refuse_transfer(story: Story, evidence: Evidence, why: str, target: str) -> None:
    """Have an agent of the owner not have been allowed to hand the request over."""
    say_refused(story, evidence, "transfer", why, behind=0, mailbox=OWNER, target=target)


def refuse_once_more(story: Story, evidence: Evidence) -> None:
    """Have an act have been refused twice that was asked for once."""
    say_refused(story, evidence, "ask", "changed_meanwhile", behind=1, mailbox=OWNER)
    say_refused(story, evidence, "ask", "changed_meanwhile", behind=1)


def swallow(story: Story, evidence: Evidence) -> None:
    """Have business software have asked for what was neither done nor refused, and an agent have been refused the same."""
    issue(evidence, story.resolved, "take_charge")
    say_refused(story, evidence, "take_charge", "resolved", request_id=story.resolved, behind=0, mailbox=OWNER)


def open_after(story: Story, evidence: Evidence) -> None:
    """Have a mail have been opened a second after its request was erased."""
    erased_at = find_row(evidence, "intake.outbox", request_id=story.erased, type="fr.aiguilleur.request.erased.v1")["created_at"]
    times = {"opened_at": erased_at + timedelta(seconds=1), "arrived_at": erased_at + timedelta(seconds=2)}
    evidence.mails.append(mail_of(story.erased, "receipt", **times))
