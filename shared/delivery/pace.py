"""How long to wait before the next batch: at load few large batches cost much less than many small ones."""

MOST_REST_SECONDS = 0.1


class Pace:
    """The rests of one loop.

    A batch begins `seconds` after the one before at the soonest. A rest is `times` as long as the batch was, 0.1 s at most:
    where the machine is busy a batch takes longer, and so more gather for the next. It goes by the quicker of the last two
    batches, since one that had to wait for a disk says nothing of the load.
    """

    def __init__(self, seconds: float, *, times: float) -> None:
        self._seconds = seconds
        self._times = times
        self._last = 0.0

    def rest(self, spent: float) -> float:
        """Return the seconds to wait after a batch that took `spent` seconds."""
        quicker, self._last = min(spent, self._last), spent
        return max(self._seconds - spent, min(self._times * quicker, MOST_REST_SECONDS))
