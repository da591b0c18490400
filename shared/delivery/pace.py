"""How long to wait before the next batch: at load few large batches cost much less than many small ones."""

MOST_REST_SECONDS = 0.1


def rest(spent: float, *, pace: float, times: float) -> float:
    """Return the seconds to wait after a batch that took `spent`.

    pace: a batch begins this long after the one before at the soonest (seconds). times: the rest is so many times as long as
    the batch was, 0.1 s at most: where the machine is busy a batch takes longer, and so more gather for the next.
    """
    return max(pace - spent, min(times * spent, MOST_REST_SECONDS))
