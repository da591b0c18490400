"""The order in which a request's events are folded again: what an own event says that its writer had seen decides, not time."""

from datetime import timedelta

from shared.delivery.history import Events, Told, in_order, read_seen
from shared.events.notifications import MailSent
from shared.events.requests import InformationAdded
from tests.delivery.sample import NOW, SAMPLE


def told(name: str, *, at: int, seen: str | None = None) -> Told:
    """An event that is known by its bytes, so many seconds after NOW."""
    cls = MailSent if seen is not None or name.startswith("own") else InformationAdded
    return Told(NOW + timedelta(seconds=at), cls, name.encode(), seen.encode() if seen is not None else None)


def order(requests: Events, escalations: Events, own: Events) -> list[str]:
    streams = {"requests.v1": requests, "escalations.v1": escalations}
    consumed = [streams.get(topic.name, {}) for topic in SAMPLE.sequenced]
    return [one.value.decode() for one in in_order(SAMPLE, consumed, [own])]


def test_an_own_event_comes_behind_what_its_writer_had_seen_whatever_the_clocks_say() -> None:
    requests = {1: told("r1", at=0), 2: told("r2", at=50), 3: told("r3", at=51)}
    own = {1: told("own1", at=1, seen="2,0,0"), 2: told("own2", at=99, seen="2,0,1")}

    assert order(requests, {1: told("e1", at=70)}, own) == ["r1", "r2", "own1", "e1", "own2", "r3"]


def test_what_was_passed_over_counts_as_seen() -> None:
    requests = {1: told("r1", at=0), 3: told("r3", at=9)}

    assert order(requests, {}, {1: told("own1", at=5, seen="3,0,0")}) == ["r1", "r3", "own1"]


def test_an_own_event_that_says_nothing_comes_by_time() -> None:
    requests = {1: told("r1", at=7), 2: told("r2", at=8), 3: told("r3", at=20)}

    assert order(requests, {}, {1: told("own1", at=8)}) == ["r1", "r2", "own1", "r3"]


def test_the_first_event_of_a_request_is_before_all() -> None:
    assert order({1: told("r1", at=50)}, {1: told("e1", at=1)}, {1: told("own1", at=2)}) == ["r1", "e1", "own1"]


def test_a_header_of_fewer_or_odd_parts_is_read_as_far_as_it_goes() -> None:
    assert read_seen(b"2", 3) == (2, 0, 0)
    assert read_seen(b"", 2) == (0, 0)
    assert read_seen(b"1,2,3,4", 2) == (1, 2)
