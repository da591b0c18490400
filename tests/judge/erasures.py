"""What is left of a person: invariant 11. After the erasure nothing that can be read; in clear nothing at any time.

Erased is what the log says, and what the usager was told.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any
from uuid import UUID

import msgspec

from tests.judge.evidence import Evidence, History, Written
from tests.judge.letters import letter_of
from tests.judge.repeats import covered
from tests.judge.writings import in_clear, row_bytes


def what_is_left(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each key that outlived its request, each that is gone, each sealed text, mail or clear word that is too much."""
    keys = {row["request_id"] for row in evidence.rows["vault.request_key"]}
    held = {request_id for request_id, row in evidence.requests["intake"].items() if row["state"] is not None}
    yield from (f"11 key: {one} was erased, and its key is there" for one in evidence.erased & keys)
    yield from (f"11 key: {one} is not erased, and its key is gone" for one in held - evidence.erased - keys - history.forged)
    yield from _told_otherwise(evidence, history, keys)
    yield from _sealed_left(evidence, history)
    yield from _mails_after(evidence, history)
    yield from _clear_words(evidence, history)


def _told_otherwise(evidence: Evidence, history: History, keys: set[UUID]) -> Iterable[str]:
    """What a usager was told of an erasure is so. Of those whose answer never came either may be true."""
    if history.erasures is None:
        return
    for request_id, outcome in history.erasures.items():
        match outcome:
            case "done":
                left = [] if request_id in evidence.erased else ["the log does not say so"]
                left += ["its key is there"] if request_id in keys else []
                left += [f"{service} keeps a sealed text" for service in _keepers(evidence, request_id)]
                if left:
                    yield f"11 erased: {request_id} was told to be erased, but {', '.join(left)}"
            case "refused" if request_id in evidence.erased:
                yield f"11 erased: {request_id} was told not to be erased, and the log says that it is"
    for request_id in evidence.erased - history.erasures.keys() - history.forged:
        yield f"11 erased: {request_id} was erased, and nobody wanted it"


def _keepers(evidence: Evidence, request_id: UUID) -> Iterator[str]:
    """Give each service whose state of a request keeps a sealed text."""
    for service in ("intake", "router", "notifier"):
        row = evidence.requests[service].get(request_id)
        state = row["state"] if row is not None else None
        if state is not None and any(_sealed(msgspec.json.decode(state))):
            yield service


def _sealed_left(evidence: Evidence, history: History) -> Iterable[str]:
    """No state of an erased request keeps a sealed text, and no letter of it waits."""
    erased = evidence.erased - history.forged
    for request_id in erased:
        for service in _keepers(evidence, request_id):
            yield f"11 sealed: {service} keeps a sealed text of {request_id}, which was erased"
    for row in evidence.rows["notifier.letter"]:
        if row["request_id"] in erased:
            yield f"11 letter: {row['name']} of {row['request_id']}, which was erased, is still to be sent"


def _sealed(state: Any) -> Iterator[str]:  # Any: what JSON holds
    match state:
        case dict():
            for name, value in state.items():
                if name == "sealed" and value is not None:
                    yield value
                yield from _sealed(value)
        case list():
            for value in state:
                yield from _sealed(value)
        case _:
            pass


def _mails_after(evidence: Evidence, history: History) -> Iterable[str]:
    """No mail comes of a request that was erased, but one that was under way: opened before, or as good as that."""
    if not evidence.erased:
        return
    at = {
        row["request_id"]: row["created_at"]
        for row in evidence.rows["intake.outbox"]
        if row["request_id"] in evidence.erased and row["type"].endswith("request.erased.v1")
    }
    struck = [*history.notes_delayed, *history.mail_losses]
    for mail in evidence.mails:
        since, arrived_at = at.get(letter_of(mail.message_id)[0]), mail.arrived_at
        if since is None or arrived_at is None or arrived_at <= since:
            continue
        if mail.opened_at is not None:
            is_late = mail.opened_at > since
        else:
            is_late = arrived_at - since - covered(struck, since, arrived_at) > history.longest_send
        if is_late:
            opened = f", opened at {mail.opened_at}" if mail.opened_at else ""
            yield f"11 mail: {mail.message_id} came at {arrived_at}{opened}; its request was erased at {since}"


def _clear_words(evidence: Evidence, history: History) -> Iterable[str]:
    if history.canary:
        everything = chain(_written(evidence), evidence.written)
        yield from (f"11 clear: {one} can be read" for one in in_clear([history.canary], everything))


def _written(evidence: Evidence) -> Iterator[Written]:
    """Give what is looked at of each request: tables as they are, and the log as it is read."""
    for one in evidence.log:
        yield f"{one.topic} of {one.request_id}", one.value or msgspec.json.encode(one.data)
    for table, rows in evidence.rows.items():
        for row in rows:
            yield f"{table} of {dict(row).get('request_id')}", row_bytes(row.values())
