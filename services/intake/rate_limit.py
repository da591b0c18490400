"""How much one address may send. In memory, per process: a brake on scripts, no defence against an attack in force."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

_MOST_ADDRESSES: Final = 10_000


class RateLimit:
    """A bucket per address that holds a minute's worth and fills steadily. Addresses are never logged nor stored.

    `seconds_now` is a clock that only goes forward. `a_minute` 0 means no limit.
    """

    def __init__(self, a_minute: int, seconds_now: Callable[[], float]) -> None:
        self._most = float(a_minute)
        self._now = seconds_now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, address: str) -> int:
        """Count one sending; return 0 when it may be taken, else the seconds after which one may be."""
        if not self._most:
            return 0
        now = self._now()
        left, since = self._buckets.pop(address, (self._most, now))
        left = min(self._most, left + (now - since) * self._most / 60)
        taken = left >= 1
        self._buckets[address] = (left - 1 if taken else left, now)
        if len(self._buckets) > _MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        return 0 if taken else int((1 - left) * 60 / self._most) + 1
