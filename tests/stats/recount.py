"""The aggregates counted anew from whole logs, without the service's code: what its tables must say."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from shared.events import escalations, handling, notifications
from shared.events.requests import RequestReceived
from tests.stats.log import Log

Cells = Counter[tuple[str, date, str, str, str, str]]
Durations = Counter[tuple[str, date, str, str, str, int]]

ONCE_A_SERVICE: dict[type[handling.LifeEvent], str] = {
    handling.RequestTransferred: "transferred",
    handling.RequestReopened: "reopened",
    handling.RequestWithdrawn: "withdrawn",
}
FIRST: dict[type[handling.LifeEvent], str] = {
    handling.TakenInCharge: "taken_in_charge",
    handling.RequestAnswered: "answered",
    handling.RequestResolved: "resolved",
}


def recount(logs: Iterable[Log]) -> tuple[Cells, Durations]:
    """Return what the statistics must hold: keys as the tables', in the order of their columns."""
    cells: Cells = Counter()
    durations: Durations = Counter()
    for asked, told, raised, mails in logs:
        received = asked[0]
        assert isinstance(received, RequestReceived)
        place = (received.authority, received.received_on)
        done, spans = _life(told)
        for service, measure in {*done, *_escalations(raised), *_overdue(told, raised)}:
            cells[(*place, service, received.channel, received.category or "", measure)] += 1
        for mail in mails:
            measure = "mails_sent" if isinstance(mail, notifications.MailSent) else "mails_failed"
            cells[(*place, mail.service or "", received.channel, received.category or "", measure)] += 1  # type: ignore[attr-defined]
        for measure, (service, minutes) in spans.items():
            durations[(*place, service, received.channel, measure, minutes)] += 1
    return cells, durations


def _life(told: list[Any]) -> tuple[set[tuple[str, str]], dict[str, tuple[str, int]]]:
    done: set[tuple[str, str]] = set()
    spans: dict[str, tuple[str, int]] = {}
    owners = [event.service for event in told if event.service]
    done.add((owners[0] if owners else "", "received"))
    owner = ""
    for event in told:
        leaving, owner = owner, event.service or owner
        if type(event) in ONCE_A_SERVICE:
            left = isinstance(event, handling.RequestTransferred)
            done.add((leaving if left else owner, ONCE_A_SERVICE[type(event)]))
        measure = FIRST.get(type(event))
        if measure and measure not in spans:
            spans[measure] = (owner, (event.elapsed_working_seconds + 59) // 60)
            done.add((owner, measure))
            if isinstance(event, handling.TakenInCharge) and event.at <= event.due_at:
                done.add((owner, "within_promise"))
    return done, spans


def _overdue(told: list[Any], raised: list[Any]) -> set[tuple[str, str]]:
    late = any(isinstance(event, escalations.PromiseMissed) and event.promise == "taking_charge" for event in raised)
    untouched = {event.status for event in told} <= {"registered", "assigned"}
    owners = [event.service for event in told if event.service]
    return {(owners[-1] if owners else "", "overdue")} if late and untouched else set()


def _escalations(raised: list[Any]) -> set[tuple[str, str]]:
    said = set()
    for event in raised:
        service = event.service or ""
        match event:
            case escalations.PromiseWarned():
                said.add((service, "warned"))
            case escalations.PromiseMissed(promise="unowned"):
                said.add((service, "unowned"))
            case escalations.PromiseMissed():
                said.add((service, "missed"))
            case escalations.EscalationRaised(promise="taking_charge"):  # of the inner clock only that it ran out is counted
                said.add((service, f"escalated_{event.level}"))
    return said
