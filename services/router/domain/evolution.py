"""What a fact makes of a life: of the state and the fact alone, so that the states can be rebuilt from the log."""

from typing import Any, Final

from msgspec.structs import replace

from services.router.domain.life import WHAT, Entry, Life
from shared.events import requests

_SEALED: Final = frozenset(cls for cls in WHAT if "sealed" in cls.model_fields)
_REASONED: Final = frozenset(cls for cls in WHAT if "reason" in cls.model_fields)
"""Asked of the class once: to ask an event for a field that it lacks takes longer than all the rest of a step."""


def evolve(life: Life | None, event: Any) -> Life | None:
    """Return the life after a fact.

    Of `requests.v1` only the first event matters here: what follows it becomes life by the router's own events. So a
    rebuild reads the requests first, then the handling.
    """
    if life is None:
        return _born(event) if isinstance(event, requests.RequestReceived) else None
    cls = type(event)
    what = WHAT.get(cls)
    if what is None:
        return life
    entry = Entry(event.at, what, event.service, event.sealed if cls in _SEALED else None)
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


def _lived(life: Life, event: Any, entry: Entry) -> Life:  # Any: an event of the life, some of which have a reason
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
        reason=event.reason if type(event) in _REASONED else life.reason,
        history=(*life.history, entry),
    )
