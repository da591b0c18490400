"""What the charter announces for a request: worked out once, here, and kept by everybody downstream."""

from dataclasses import dataclass
from datetime import datetime

from shared.events.inbound import Submission
from shared.events.requests import Promise
from shared.organisation import Authority
from shared.organisation.service import Service


@dataclass(frozen=True, slots=True)
class Announcement:
    """The promise, the service that it was counted for, and the instant by which somebody must own the request."""

    service: Service
    promise: Promise
    unowned_due_at: datetime
    demande: bool


def announce(submission: Submission, authority: Authority, now: datetime) -> Announcement:
    """Return what is announced at `now` for a submission without faults, in working time of the service that will own it."""
    service = authority.owner_to_be(submission.service, now)
    rule = authority.promise_for(submission.channel, service.code, submission.category)
    working_time = authority.calendar_of(service.code)
    category = authority.find_category(submission.category)
    desk = authority.calendar_of(authority.settings.front_desk)
    return Announcement(
        service=service,
        promise=Promise(
            code=rule.code,
            kind=rule.kind,
            label=rule.label,
            start_at=now,
            working_seconds=rule.working_seconds,
            warn_at=working_time.due(now, rule.warn_after_seconds),
            due_at=working_time.due(now, rule.working_seconds),
            calendar=working_time.calendar.code,
            calendar_version=working_time.calendar.version,
            ladder=rule.ladder,
        ),
        unowned_due_at=desk.due(now, authority.unowned.working_seconds),
        demande=category is not None and category.demande,
    )
