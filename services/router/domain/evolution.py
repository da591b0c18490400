"""What a fact makes of a life: of the state and the fact alone, so that the states can be rebuilt from the log."""

from typing import Any

from msgspec.structs import replace

from services.router.domain.life import WHAT, Entry, Life
from shared.events import handling, requests


def evolve(life: Life | None, event: Any) -> Life | None:
    """Return the life after a fact.

    Of `requests.v1` only the first event matters here: what follows it becomes life by the router's own events. So a
    rebuild reads the requests first, then the handling.
    """
    if life is None:
        return _born(event) if isinstance(event, requests.RequestReceived) else None
    what = WHAT.get(type(event))
    if what is None:
        return life
    entry = Entry(event.at, what, event.service, getattr(event, "sealed", None))
    if what == "forgotten":
        history = tuple(replace(earlier, sealed=None) for earlier in life.history)
        return replace(life, status=event.status, version=event.version, sealed=None, history=(*history, entry))
    return _lived(life, event, entry)


def _born(event: requests.RequestReceived) -> Life:
    return Life(
        authority=event.authority,
        reference=event.reference,
        channel=event.channel,
        category=event.category,
        language=event.language,
        received_at=event.at,
        due_at=event.promise.due_at,
        status="registered",
        service=None,
        version=0,
        sealed=event.sealed,
    )


def _lived(life: Life, event: handling.LifeEvent, entry: Entry) -> Life:
    return Life(  # not `replace`: this runs twice for each request that comes in, and is twice as fast
        authority=life.authority,
        reference=life.reference,
        channel=life.channel,
        category=life.category,
        language=life.language,
        received_at=life.received_at,
        due_at=life.due_at,
        status=event.status,
        service=event.service or life.service,
        version=event.version,
        sealed=life.sealed,
        reason=getattr(event, "reason", life.reason),
        history=(*life.history, entry),
    )
