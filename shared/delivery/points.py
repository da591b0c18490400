"""Named points of the shell at which a fault test kills the process. Nothing happens unless the environment asks for it."""

import os
import signal

_armed, _, _count = os.environ.get("AIGUILLEUR_KILL_AT", "").partition(":")
_left = int(_count or 1)

POINTS = (
    "consume.before_begin",
    "consume.after_load",
    "consume.after_fold",
    "consume.before_commit",
    "consume.after_commit",
    "local.before_begin",
    "local.before_commit",
    "local.after_commit",
    "relay.after_claim",
    "relay.after_send",
    "relay.after_mark",
    "letter.before_send",
    "letter.after_send",
)


def reach(point: str) -> None:
    """Die by SIGKILL if the environment named this point (AIGUILLEUR_KILL_AT=point:nth) and it is reached the nth time."""
    global _left
    if point == _armed:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
