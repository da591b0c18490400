"""When a letter is tried again, and when it is given up."""

import zlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

_FIRST: Final = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 300, 900, 1800, 3600))
_THEN: Final = timedelta(hours=1)
_SPREAD: Final = 0.2
GIVEN_UP_AFTER: Final = timedelta(hours=72)


def next_try(*, request_id: UUID, attempts: int, arose_at: datetime, now: datetime) -> datetime | None:
    """Return when to try again after `attempts` tries that failed; None when the letter is 72 hours old: it is given up.

    30 s, 2, 5, 15, 30, 60 minutes, then every hour, between 48 and 72 minutes, so that letters that failed together do
    not come back together. Each letter has its own spread: no randomness, a test sees the same instants.
    """
    if now - arose_at >= GIVEN_UP_AFTER:
        return None
    if attempts <= len(_FIRST):
        return now + _FIRST[max(attempts, 1) - 1]
    share = zlib.crc32(request_id.bytes + attempts.to_bytes(4, "big")) / 2**32
    return now + _THEN * (1 - _SPREAD + 2 * _SPREAD * share)
