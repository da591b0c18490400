"""The checker of lives, delays and mails: says nothing of a town where all is well, and names each thing that is not."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.proof.delays import broken_delays
from tests.proof.evidence import Act, Evidence, History, Record
from tests.proof.letters import wrong_mails
from tests.proof.lives import broken_lives, miscounted_acts

ANSWERED, UNTOUCHED = UUID(int=1), UUID(int=2)
_MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def _day(number: int) -> str:
    return (_MONDAY + timedelta(days=number)).isoformat()


class Story:
    """One request that an agent takes and answers, and one that nobody touches; the log and the mails of both."""

    def __init__(self) -> None:
        self.log: list[Record] = []
        for request in (ANSWERED, UNTOUCHED):
            promise = {"warn_at": _day(3), "due_at": _day(4)}
            self.tell(request, "requests.v1", "request.received", 0, promise=promise, unowned_due_at=_day(1))
            self.live(request, "registered", 0, "registered", None)
            self.live(request, "assigned", 0, "assigned", "voirie")
        self.live(ANSWERED, "taken_in_charge", 1, "in_charge", "voirie")
        self.live(ANSWERED, "answered", 2, "answered", "voirie")
        delay = {"promise": "taking_charge"}
        self.tell(UNTOUCHED, "escalations.v1", "escalation.warned", 3, **delay)
        self.tell(UNTOUCHED, "escalations.v1", "escalation.missed", 4, **delay, next_level=1, next_at=_day(4))
        self.tell(UNTOUCHED, "escalations.v1", "escalation.raised", 4, **delay, level=1, next_level=2, next_at=_day(5))
        self.tell(UNTOUCHED, "escalations.v1", "escalation.raised", 5, **delay, level=2, next_level=None, next_at=None)
        self.mail(ANSWERED, "receipt", "assignment.2", "answer.4")
        self.mail(UNTOUCHED, "receipt", "assignment.2", "warning.taking_charge")
        self.mail(UNTOUCHED, "escalation.taking_charge.1", "escalation.taking_charge.2")
        self.sink = Counter(f"<{one.data['letter']}.{one.request_id}@x>" for one in self.log if one.name == "sent")
        self.history = History(
            accepted={ANSWERED, UNTOUCHED},
            acts=[Act(ANSWERED, "take_charge", "done"), Act(ANSWERED, "answer", "done")],
            quiet_at=_MONDAY + timedelta(days=2),
            checked_at=_MONDAY + timedelta(days=9),
        )

    def tell(self, request: UUID, topic: str, name: str, day: int, **data: Any) -> None:
        """Any: the fields of an event."""
        sequence = 1 + sum(1 for one in self.log if (one.topic, one.request_id) == (topic, request))
        told = data | {"request_id": str(request), "at": _day(day)}
        self.log.append(Record(topic, request, sequence, f"fr.aiguilleur.{name}.v1", told))

    def live(self, request: UUID, name: str, day: int, status: str, service: str | None) -> None:
        version = 1 + sum(1 for one in self.log if (one.topic, one.request_id) == ("handling.v1", request))
        self.tell(request, "handling.v1", f"handling.{name}", day, status=status, service=service, version=version)

    def mail(self, request: UUID, *letters: str) -> None:
        for letter in letters:
            self.tell(request, "notifications.v1", "notification.sent", 6, letter=letter)

    def drop(self, name: str) -> None:
        """Lose the last event of this name."""
        self.log.remove([one for one in self.log if one.name == name][-1])

    @property
    def broken(self) -> list[str]:
        evidence = Evidence(self.log, {}, self.sink)
        checks = (broken_lives, miscounted_acts, broken_delays, wrong_mails)
        return [line for check in checks for line in check(evidence, self.history)]


def test_nothing_is_said_of_a_town_where_all_is_well() -> None:
    assert Story().broken == []


def test_what_the_relay_wrote_twice_counts_once() -> None:
    story = Story()
    story.log += story.log
    assert story.broken == []


def _act_twice(story: Story) -> None:
    story.live(ANSWERED, "answered", 3, "answered", "voirie")
    story.mail(ANSWERED, "answer.5")
    story.sink[f"<answer.5.{ANSWERED}@x>"] += 1


def _escalate_after_the_end(story: Story) -> None:
    story.tell(ANSWERED, "escalations.v1", "escalation.missed", 4, promise="taking_charge", next_level=1, next_at=_day(4))


def _climb_twice(story: Story) -> None:
    again = {"promise": "taking_charge", "level": 2, "next_level": None, "next_at": None}
    story.tell(UNTOUCHED, "escalations.v1", "escalation.raised", 6, **again)


def _climb_early(story: Story) -> None:
    story.log = [one for one in story.log if one.topic != "escalations.v1"]
    story.tell(UNTOUCHED, "escalations.v1", "escalation.warned", 2, promise="taking_charge")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda story: story.drop("answered"), "acts: "),
        (_act_twice, "has answer 2 times"),
        (lambda story: story.history.acts.append(Act(UNTOUCHED, "withdraw", "done")), "has withdraw 0 times"),
        (lambda story: story.history.acts.pop(), "has answer 1 times; 0 were told done"),
        (lambda story: story.live(UNTOUCHED, "reopened", 1, "assigned", "voirie"), "2 path"),
        (lambda story: story.live(UNTOUCHED, "withdrawn", 1, "withdrawn", "voirie"), "4 owner"),
        (lambda story: story.drop("taken_in_charge"), "2 versions"),
        (lambda story: story.drop("warned"), "5 not warned"),
        (lambda story: story.drop("raised"), "5 not escalated"),
        (_climb_twice, "5 told 2 times"),
        (_climb_early, "5 early"),
        (_escalate_after_the_end, "5 after the end"),
        (lambda story: story.drop("sent"), "9 no mail"),
        (lambda story: story.sink.pop(f"<answer.4.{ANSWERED}@x>"), "9 lost mail"),
        (lambda story: story.sink.update([f"<receipt.{UUID(int=3)}@x>"]), "9 unknown mail"),
        (lambda story: story.sink.update([f"<answer.4.{ANSWERED}@x>"]), "9 duplicates"),
        (lambda story: story.mail(UNTOUCHED, "resolution.3"), "9 nobody wanted"),
    ],
)
def test_what_is_broken_is_named(spoil: Callable[[Story], None], told: str) -> None:
    story = Story()
    spoil(story)
    assert any(told in line for line in story.broken), story.broken
