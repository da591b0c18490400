"""Request ids: UUIDv7 (RFC 9562, 5.7), in the order in which they were made.

The first 48 bits are milliseconds since 1970, then 12 bits count within the millisecond (RFC 9562, 6.2, method 1: they
begin at random below 2048 and grow), the last 62 are random. Order holds within one process, also when the clock goes
back; ids of two processes differ by their random bits.
"""

import os
import uuid

from shared.clock import Clock

_COUNTS = 1 << 12
_VERSION_7 = 7 << 76
_VARIANT = 2 << 62
_RANDOM_MASK = (1 << 62) - 1


class RequestIds:
    """Makes ids. One per process; not for several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._millisecond = 0
        self._count = 0

    def new(self) -> uuid.UUID:
        """Return an id greater than all those before it."""
        random = int.from_bytes(os.urandom(10))
        millisecond = int(self._clock.now().timestamp() * 1000)
        if millisecond > self._millisecond:
            self._millisecond, self._count = millisecond, (random >> 62) % (_COUNTS // 2)
        elif self._count + 1 < _COUNTS:
            self._count += 1
        else:  # the millisecond is full: borrow from the next
            self._millisecond, self._count = self._millisecond + 1, 0
        return uuid.UUID(int=self._millisecond << 80 | _VERSION_7 | self._count << 64 | _VARIANT | random & _RANDOM_MASK)
