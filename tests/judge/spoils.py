"""Every way in which the small town is spoilt, and what the checker has to say of it, by what it looks at."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

from tests.judge.evidence import Act, Evidence, Mail
from tests.judge.evidence import Asked as AskedRecord
from tests.judge.small_town import MONDAY
from tests.judge.spoiling import (
    NOBODY,
    add_row,
    add_session,
    alter,
    change_organisation,
    change_promise,
    change_state,
    drop_mail,
    drop_row,
    find,
    find_row,
    fire_early,
    forge_and_forget,
    forget,
    ghost,
    give_up,
    give_up_addressed,
    give_up_unrefused,
    issue,
    keep_refused,
    log_parked,
    mail_of,
    park,
    park_and_let_go,
    park_and_say,
    publish,
    refuse,
    repeat,
    send_again,
    swap,
    tell_canary,
)
from tests.judge.story import Story

Spoil: TypeAlias = Callable[[Story, Evidence], object]

SPOILS: dict[str, list[tuple[str, Spoil]]] = {
    "existence": [
        ("1 lost: ", lambda s, _: s.history.accepted.add(NOBODY)),
        ("1 ghosts: 1 requests nobody was told of", lambda s, _: s.history.accepted.discard(s.untouched)),
        ("1 refused: a post", keep_refused),
        ("1 not to be found", lambda s, e: drop_row(e, "intake.tracking", request_id=s.untouched)),
        ("has 2 rows of tracking", lambda s, e: add_row(e, "intake.tracking", request_id=s.untouched, status="assigned")),
        ("was received 0 times", lambda s, e: forget(e, "requests.v1", s.untouched, "received")),
        ("was received 2 times", lambda s, e: repeat(e, "requests.v1", s.untouched, "received")),
        ("and not in intake", lambda s, e: drop_row(e, "intake.request", request_id=s.untouched)),
        ("12 requests: 4 were accepted", lambda s, e: drop_row(e, "router.assignment", request_id=s.untouched)),
        ("12 status: ", lambda s, e: find_row(e, "intake.tracking", request_id=s.worked).update(status="withdrawn")),
    ],
    "lives": [
        ("2 gap: handling.v1", lambda s, e: forget(e, "handling.v1", s.worked, "answered")),
        ("2 number given twice", lambda s, e: e.log.append(replace(e.log[0], data=e.log[0].data | {"at": "x"}))),
        ("2 order: handling.v1", lambda s, e: swap(e, "handling.v1", s.worked)),
        ("2 versions: ", lambda s, e: alter(e, "handling.v1", s.worked, "answered", version=9)),
        ("2 path: ", lambda s, e: alter(e, "handling.v1", s.worked, "answered", status="waiting")),
        ("begins ['registered', 'taken_in_charge']", lambda s, e: forget(e, "handling.v1", s.worked, "assigned")),
        ("has answer 2 times; 1 were told done", lambda s, e: repeat(e, "handling.v1", s.worked, "answered", version=12)),
        ("has reopen 1 times; 0 were told done", lambda s, _: s.done.remove(Act(s.worked, "reopen", "done"))),
        ("has ask 0 times; 1 were told done", lambda s, _: s.done.append(Act(s.worked, "ask", "done"))),
        ("has withdraw 0 times; 1 were told done", lambda s, _: s.done.append(Act(s.worked, "withdraw", "done"))),
        ("has answer 1 times; 0 were told done", lambda s, _: s.done.remove(Act(s.worked, "answer", "done"))),
        ("was done by a link of version 0", lambda s, _: s.done.append(Act(s.worked, "answer", "done", version=0))),
        ("acts: ", lambda s, e: forget(e, "handling.v1", s.worked, "usager_replied")),
        ("acts: ", lambda s, e: forget(e, "handling.v1", s.erased, "withdrawn")),
    ],
    "outboxes": [
        ("3 never committed", lambda s, e: drop_row(e, "router.outbox", request_id=s.worked, sequence=2, topic="handling.v1")),
        ("3 not published", lambda s, e: forget(e, "handling.v1", s.worked, "resolved")),
        ("3 not published", forge_and_forget),
        ("3 altered", lambda s, e: alter(e, "queues.v1", s.worked, "entered", committed=False, reason="other")),
        ("3 numbered twice", lambda s, e: add_row(e, "router.outbox", **e.rows["router.outbox"][0])),
        ("13 pending: router still", lambda s, e: e.rows["router.outbox"][0].update(published_at=None)),  # type: ignore[attr-defined]
    ],
    "owners": [
        ("has 0 rows of assignment", lambda s, e: drop_row(e, "router.assignment", request_id=s.untouched)),
        ("4 owner: ", lambda s, e: alter(e, "handling.v1", s.worked, "answered", service=None)),
        ("4 owner: ", lambda s, e: alter(e, "handling.v1", s.erased, "withdrawn", service="voirie")),
        ("4 unexplained: ", lambda s, e: alter(e, "handling.v1", s.worked, "answered", service="proprete")),
        ("4 unexplained: ", lambda s, e: alter(e, "handling.v1", s.worked, "transferred", from_service="education")),
        ("4 queues: ", lambda s, e: forget(e, "queues.v1", s.worked, "entered")),
        ("4 row: ", lambda s, e: find_row(e, "router.assignment", request_id=s.worked).update(service="voirie")),
    ],
    "delays": [
        ("5 not warned", lambda s, e: forget(e, "escalations.v1", s.untouched, "warned")),
        ("5 not told missed", lambda s, e: forget(e, "escalations.v1", s.untouched, "missed")),
        ("5 told 2 times", lambda s, e: repeat(e, "escalations.v1", s.untouched, "raised")),
        ("5 early", lambda s, e: alter(e, "escalations.v1", s.untouched, "warned", at=MONDAY.isoformat())),
        ("warned, committed when no clock showed more than", fire_early),
        ("warned, committed when no", lambda s, e: fire_early(s, e, skew=timedelta(minutes=59))),
        ("5 level", lambda s, e: alter(e, "escalations.v1", s.untouched, "raised", level=3)),
        (
            "5 not escalated",
            lambda s, e: e.log.remove([one for one in e.log if one.name == "raised" and one.request_id == s.untouched][-1]),
        ),
        (
            "5 after the end",
            lambda s, e: e.log.append(replace(find(e, "escalations.v1", s.untouched, "missed"), request_id=s.worked, sequence=1)),
        ),
    ],
    "promises": [
        ("6 told otherwise", lambda s, e: alter(e, "escalations.v1", s.untouched, "warned", due_at=MONDAY.isoformat())),
        (
            "6 kept otherwise: sla",
            lambda s, e: change_state(e, "sla", s.worked, lambda t: t["announced"].update(due_at=str(MONDAY))),
        ),
        ("6 kept otherwise: notifier", lambda s, e: change_state(e, "notifier", s.worked, lambda t: t.update(subject=None))),
        (
            "6 deadline: the row of",
            lambda s, e: add_row(e, "sla.deadline", request_id=s.worked, promise="unowned", what="due", due_at=s.now),
        ),
        (
            "was never received",
            lambda s, e: add_row(e, "sla.deadline", request_id=NOBODY, promise="unowned", what="due", due_at=s.now),
        ),
        (
            "6 due: ",
            lambda s, e: change_promise(e, s.worked, lambda t: t.update(due_at=(MONDAY + timedelta(days=9)).isoformat())),
        ),
        ("6 due: ", lambda s, e: change_promise(e, s.worked, lambda t: t.update(calendar_version=99))),
        ("6 due: ", lambda s, e: change_promise(e, s.worked, lambda t: t.update(working_seconds=3600))),
        ("6 due: ", lambda s, e: change_organisation(s, e, before=timedelta(minutes=3))),
        ("6 due: ", lambda s, e: change_organisation(s, e, before=timedelta(hours=-1), back=True)),
        ("6 rung: ", lambda s, e: change_organisation(s, e, before=timedelta(days=-1))),
        ("6 elapsed: ", lambda s, e: change_organisation(s, e, before=timedelta(hours=-1))),
        ("for one that nobody owns", lambda s, e: alter(e, "requests.v1", s.worked, "received", unowned_due_at=str(MONDAY))),
        ("6 rung: ", lambda s, e: alter(e, "escalations.v1", s.untouched, "raised", next_at=MONDAY.isoformat())),
        ("6 elapsed: ", lambda s, e: alter(e, "handling.v1", s.worked, "answered", elapsed_working_seconds=1)),
    ],
    "consumption": [
        ("7 not taken: sla", lambda s, e: find_row(e, "sla.request", request_id=s.worked).update(seen_handling_v1=3)),
        ("7 not taken: sla", lambda s, e: drop_row(e, "sla.request", request_id=s.worked)),
        ("7 not told: router", lambda s, e: find_row(e, "router.request", request_id=s.worked).update(sent_queues_v1=1)),
        ("7 parked: stats parked", lambda s, e: park(e, "stats", find(e, "handling.v1", s.worked, "answered"))),
        ("7 held: stats holds", lambda s, e: find_row(e, "stats.request", request_id=s.worked).update(held=True)),
        ("7 held: stats does not hold", park_and_let_go),
        ("7 position: stats stands at 1", lambda s, e: find_row(e, "stats.position", topic="handling.v1").update(next_offset=1)),
        ("7 not taken: router has no ticket", lambda s, e: e.asked.append(AskedRecord("commands.v1", 0, 7, "erp", "1"))),
        ("12 records: stats got", lambda s, e: e.log.append(e.log[0])),
    ],
    "commands": [
        ("has resolve by software 1 times, 0 were asked for", lambda s, e: issue(e, s.resolved, "ask", unsealed="resolved")),
        ("had take_charge asked for by software 1 times", lambda s, e: issue(e, s.resolved, "take_charge")),
        ("7 refused: erp 1 wants to resolve", lambda s, e: refuse(e, s.worked, parked_at=s.now)),
        ("1 were taken for 00000000-0000-0000-0000-000000000063, which has no life", lambda s, e: issue(e, NOBODY, "resolve")),
    ],
    "states": [
        ("8 state: notifier of", lambda s, e: change_state(e, "notifier", s.worked, lambda t: t.update(owner="voirie"))),
        ("8 state: router has one of", ghost),
    ],
    "letters": [
        ("9 no mail: ", lambda s, e: forget(e, "notifications.v1", s.worked, "sent")),
        ("9 lost mail: receipt", lambda s, e: drop_mail(e, s.worked, "receipt")),
        ("9 unknown mail: the sink has answer.40", lambda s, e: e.mails.append(mail_of(s.worked, "answer.40"))),
        ("9 unknown mail: the sink has <x@y>", lambda s, e: e.mails.append(Mail("<x@y>"))),
        ("9 nobody wanted: ", lambda s, e: repeat(e, "notifications.v1", s.worked, "sent", letter="answer.40")),
        ("9 told twice: ", lambda s, e: repeat(e, "notifications.v1", s.worked, "sent")),
        ("9 duplicates: ", lambda s, e: e.mails.append(mail_of(s.worked, "receipt"))),
        ("its note was lost 0 times", send_again),
        ("is to be sent", lambda s, e: add_row(e, "notifier.letter", request_id=s.worked, name="answer.40")),
        ("9 still to be sent", lambda s, e: add_row(e, "notifier.letter", request_id=s.worked, name="receipt")),
        ("9 given up: receipt of 00000000-0000-7000-8000-000000000001, as refused", give_up_unrefused),
        ("as no_address, which it is not", give_up_addressed),
        ("as erased, which it is not", lambda s, e: give_up(e, s.worked, "erased")),
        ("as unreadable, which it is not", lambda s, e: give_up(e, s.worked, "unreadable")),
        ("as out_of_tries, which it is not", lambda s, e: give_up(e, s.worked, "out_of_tries", after=timedelta(hours=71))),
        ("as weary, which it is not", lambda s, e: give_up(e, s.worked, "weary")),
        ("9 unsaid: ", lambda s, e: forget(e, "notifications.v1", s.worked, "sent")),
        ("9 before its commit", lambda s, e: e.mails.append(mail_of(s.worked, "receipt", arrived_at=MONDAY - timedelta(days=1)))),
        ("12 mails: ", lambda s, e: forget(e, "notifications.v1", s.worked, "sent")),
        ("13 pending: receipt", lambda s, e: add_row(e, "notifier.letter", request_id=s.worked, name="receipt")),
    ],
    "counts": [
        ("10 cell: ", lambda s, e: e.rows["stats.cell"][0].update(amount=70)),  # type: ignore[attr-defined]
        ("10 cell: ", lambda s, e: e.rows["stats.cell"].pop()),  # type: ignore[attr-defined]
        ("10 duration: ", lambda s, e: e.rows["stats.duration"][0].update(minutes=70)),  # type: ignore[attr-defined]
        ("received, says the service, shows 70 for voirie, there are 1", lambda s, e: publish(e, voirie=70)),
        ("10 disclosed: rivemont 2026-11 services received, says the service, shows 1 for", lambda s, e: publish(e, voirie=1)),
        ("received, says the service, shows 5 in all, there are 4", lambda s, e: publish(e, total=5)),
        ("hides ['voirie'], of which a subtraction says that they are 1", lambda s, e: publish(e, voirie=None, total=4)),
    ],
    "erasures": [
        ("was erased, and its key is there", lambda s, e: add_row(e, "vault.request_key", request_id=s.erased)),
        ("is not erased, and its key is gone", lambda s, e: drop_row(e, "vault.request_key", request_id=s.worked)),
        ("11 sealed: router", lambda s, e: change_state(e, "router", s.erased, lambda t: t.update(sealed="x"))),
        ("11 sealed: intake", lambda s, e: change_state(e, "intake", s.erased, lambda t: t["life"][0].update(sealed="x"))),
        ("11 letter: answer.3", lambda s, e: add_row(e, "notifier.letter", request_id=s.erased, name="answer.3")),
        ("11 mail: ", lambda s, e: e.mails.append(mail_of(s.erased, "receipt", arrived_at=s.now))),
        ("'canari' can be read", tell_canary),
    ],
    "cries": [
        ("13 cry: sla parked 0 records", lambda s, e: log_parked(e, sla=1)),
        ("13 silent: sla parked 1 records", lambda s, e: park_and_say(s, e, times=0)),
        ("13 silent: sla met 1 gaps", lambda s, e: park_and_say(s, e, times=1)),
    ],
    "leftovers": [
        ("13 halted: sla one", lambda s, e: add_row(e, "sla.halt", instance="one", why="too many")),
        (
            "13 pending: warn of",
            lambda s, e: add_row(e, "sla.deadline", request_id=s.worked, promise="unowned", what="warn", due_at=s.now),
        ),
        ("13 lock: router", lambda s, e: add_session(e, waits=True)),
        ("13 idle: router", lambda s, e: add_session(e, waits=False)),
    ],
}
