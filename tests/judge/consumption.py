"""What each service took of the log: invariant 7, and of 12 that what came in is effects, duplicates and parked records."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from uuid import UUID

from shared.delivery.tables import column
from shared.events.topics import SERVICES, Topic, consumed_by, produced_by
from tests.judge.evidence import Evidence, History


def untaken_records(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each event that had no effect and is not parked, each that was taken twice, each that is parked for no reason."""
    last = _last_sequences(evidence)
    for service in SERVICES:
        yield from _parked_for_nothing(evidence, history, service)
        parked = {(row["request_id"], row["topic"]) for row in evidence.parked(service)}
        known = evidence.requests[service]
        for topic in consumed_by(service):
            if not topic.sequenced:
                yield from _open_records(evidence, service, topic)
                continue
            mine = last.get(topic.name, {})
            for request_id in mine.keys() | known.keys():
                if (request_id, topic.name) in parked or request_id in history.forged:
                    continue
                seen = known[request_id][f"seen_{column(topic.name)}"] if request_id in known else 0
                if seen != (top := mine.get(request_id, 0)):
                    yield f"7 not taken: {service} saw {topic.name} {request_id} up to {seen}, the log has {top}"
        for topic in produced_by(service):
            mine = last.get(topic.name, {})
            for request_id, row in known.items():
                sent, top = row[f"sent_{column(topic.name)}"], mine.get(request_id, 0)
                if request_id not in history.forged and sent != top:
                    yield f"7 not told: {service} sent {topic.name} {request_id} {sent} times, the log has {top}"


def _last_sequences(evidence: Evidence) -> dict[str, dict[UUID, int]]:
    last: dict[str, dict[UUID, int]] = defaultdict(dict)
    for topic, told in evidence.by_topic.items():
        for request_id, events in told.items():
            last[topic][request_id] = events[-1].sequence
    return last


def _open_records(evidence: Evidence, service: str, topic: Topic) -> Iterable[str]:
    """A record of an open topic has its ticket, or is parked."""
    tickets = {(row["source"], row["id"]) for row in evidence.rows[f"{service}.inbox"]}
    parked = {
        (row["topic"], row["partition"], row["offset"])
        for row in evidence.rows[f"{service}.parked"]
        if row["topic"] == topic.name
    }
    mine = [one for one in evidence.asked if one.topic == topic.name]
    known = tickets | {(one.source, one.id) for one in mine if (one.topic, one.partition, one.offset) in parked}
    for one in mine:
        if (one.source, one.id) in known:  # also the repetition of a parked one, in the same batch
            continue
        yield f"7 not taken: {service} has no ticket of {one.topic}/{one.partition}/{one.offset} ({one.source} {one.id})"


def _parked_for_nothing(evidence: Evidence, history: History, service: str) -> Iterable[str]:
    """What nobody spoilt is never parked, and a request is held for as long as something of it is parked."""
    waiting: set[UUID] = set()
    for row in evidence.parked(service):
        request_id = row["request_id"]
        if request_id in history.accepted - history.forged:
            yield f"7 parked: {service} parked {row['topic']} {request_id} {row['sequence']} as {row['why']}, nobody spoilt it"
        if request_id is not None and row["sequence"] is not None:
            waiting.add(request_id)
    held = {request_id for request_id, row in evidence.requests[service].items() if row["held"]}
    yield from (f"7 held: {service} holds {one}, of which nothing is parked" for one in held - waiting)
    yield from (f"7 held: {service} does not hold {one}, of which something is parked" for one in waiting - held)


def unaccounted_records(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each position that is not the end of its partition, and each topic of which a service's sums do not add up."""
    if not evidence.ends:
        return
    came = Counter(one.topic for one in evidence.log)
    repeats = {name: came[name] - sum(map(len, told.values())) for name, told in evidence.by_topic.items()}
    for service in SERVICES:
        positions = {(row["topic"], row["partition"]): row["next_offset"] for row in evidence.rows[f"{service}.position"]}
        for topic in consumed_by(service):
            ends = {place: end for place, end in evidence.ends.items() if place[0] == topic.name}
            for place, end in ends.items():
                if (at := positions.get(place, 0)) != end:
                    yield f"7 position: {service} stands at {at} of {place[0]}/{place[1]}, which ends at {end}"
            if topic.sequenced:
                yield from _unequal(
                    evidence, history, service, topic.name, came=sum(ends.values()), repeats=repeats.get(topic.name, 0)
                )


def _unequal(evidence: Evidence, history: History, service: str, topic: str, *, came: int, repeats: int) -> Iterable[str]:
    """Records in = effects + duplicates + parked, but for those that nobody can see any more, of which there are at most so many.

    Replaced: what could not be read, and was sent anew.
    """
    effects = sum(row[f"seen_{column(topic)}"] for row in evidence.rows[f"{service}.request"])
    mine = [row for row in evidence.rows[f"{service}.parked"] if row["topic"] == topic]
    passed = [row for row in mine if row["resolution"] == "skipped"]
    parked = sum(1 for row in mine if row["resolved_at"] is None or row["resolution"] == "replaced")
    parked += sum(1 for row in passed if row["sequence"] is None)
    missing = sum(1 for row in passed if row["sequence"] is not None and row["offset"] < 0)
    least = 0 if history.log_lost else parked
    if not least <= came - (effects - missing + repeats) <= parked + history.spoilt[topic]:
        yield (
            f"12 records: {service} got {came} of {topic}; {effects} effects, {missing} of them given up, "
            f"{repeats} duplicates, {parked} parked"
        )
