"""Mails that came again, or that nobody says to have sent: of invariant 9, that each was in flight at a loss."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from tests.judge.evidence import Evidence, History, Period

MOST_IN_FLIGHT: Final = 100
"""Mails that may be between the sink and the note that they are sent: four connections with a set of 25 each."""
NOTED_WITHIN: Final = timedelta(seconds=5)
"""From a mail to its note where nothing holds it up. A set is sized to a quarter of a second; the first after a pause may be
large for a server that became slow, and two cores that five services start on make it several times as long."""
_ASKED_AGAIN: Final = timedelta(seconds=2)
"""The longest wait of the notifier before it asks PostgreSQL again for a note that it owes."""
_ROUNDED: Final = timedelta(seconds=1)
"""An end that was held back arrives right after a cut; the two clocks are read one after the other."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_UNKNOWN: Final = datetime.min.replace(tzinfo=UTC)
"""Long ago: no loss explains a mail of which nobody knows when it came."""


class _Forgotten(NamedTuple):
    """A mail that arrived and was not noted, as far as can be told: it came again (or was never said to be sent)."""

    arrived_at: datetime
    again_at: datetime
    message_id: str


def unexplained_mails(evidence: Evidence, history: History, unsaid: set[str]) -> Iterable[str]:
    """Return each mail that was forgotten though nothing was lost then. `unsaid`: Message-IDs that nobody says to have sent."""
    room = Counter(dict.fromkeys(range(len(history.mail_losses)), MOST_IN_FLIGHT))
    for one in sorted(_forgotten(evidence, unsaid)):
        reasons = (place for place, loss in enumerate(history.mail_losses) if room[place] and _explains(loss, one, history))
        if (place := next(reasons, None)) is None:
            what = "unsaid" if one.again_at == _NEVER else "duplicates"
            yield f"9 {what}: {one.message_id} came at {one.arrived_at:%H:%M:%S.%f}, its note was lost, and nothing broke then"
        else:
            room[place] -= 1


def _forgotten(evidence: Evidence, unsaid: set[str]) -> Iterable[_Forgotten]:
    arrivals: dict[str, list[datetime]] = defaultdict(list)
    for mail in evidence.mails:
        arrivals[mail.message_id].append(mail.arrived_at or _UNKNOWN)
    for name, times in arrivals.items():
        times.sort()
        nexts = [*times[1:], *([_NEVER] if name in unsaid else [])]
        yield from (_Forgotten(at, again, name) for at, again in zip(times, nexts, strict=False))


def _explains(loss: Period, one: _Forgotten, history: History) -> bool:
    """Whether the mail arrived while this was lost, or shortly before it, but for the time in which no note could be made."""
    if one.arrived_at > loss.ended + _ROUNDED or one.again_at < loss.began - _ROUNDED:
        return False
    return loss.began - one.arrived_at - _held_up(one.arrived_at, loss.began, history) <= NOTED_WITHIN


def _held_up(since: datetime, until: datetime, history: History) -> timedelta:
    """Return how much of this time lies in a delay of notes."""
    return covered([Period(began, ended + _ASKED_AGAIN) for began, ended in history.notes_delayed], since, until)


def covered(periods: Iterable[Period], since: datetime, until: datetime) -> timedelta:
    """Return how much of a time lies in some periods; where they overlap it counts once."""
    total = timedelta()
    for began, ended in sorted(periods):
        began, ended = max(began, since), min(ended, until)
        if ended > began:
            total, since = total + (ended - began), ended
    return total
