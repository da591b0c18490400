"""Named points at which a fault test has a process die. Nothing happens unless the environment names a folder.

A test arms a point of a running service by making a file of the point's name in the folder AIGUILLEUR_POINTS of that
service; the process that comes by takes the file away and dies by SIGKILL. What the file holds, if anything, is a number: die
the nth time. That the file is gone is how the test knows that the point was reached.
"""

import os
import signal
from pathlib import Path
from typing import Final

POINTS: Final = (
    "start.listening",
    "start.consumer",
    "start.gate",
    "stop.begun",
    "stop.consumer",
    "consume.before_begin",
    "consume.after_lock",
    "consume.after_load",
    "consume.after_fold",
    "consume.before_commit",
    "consume.after_commit",
    "consume.before_offsets",
    "consume.after_offsets",
    "consume.seek",
    "consume.follow",
    "save.after_requests",
    "save.after_tickets",
    "save.after_parked",
    "save.after_rows",
    "park.before",
    "local.gathered",
    "local.before_begin",
    "local.before_commit",
    "local.after_commit",
    "local.answered",
    "relay.connected",
    "relay.leads",
    "relay.after_claim",
    "relay.after_send",
    "relay.after_mark",
    "relay.not_sent",
    "relay.lost",
    "tick.before_claim",
    "tick.after_claim",
    "tick.after_fire",
    "erase.before",
    "erase.after",
    "letter.after_claim",
    "letter.after_open",
    "letter.before_connect",
    "letter.before_send",
    "letter.after_dot",
    "letter.after_send",
    "letter.before_told",
    "letter.after_told",
    "letter.put_back",
    "letter.server_back",
    "watchdog.look",
)

_folder = Path(os.environ["AIGUILLEUR_POINTS"]) if "AIGUILLEUR_POINTS" in os.environ else None


def reach(point: str) -> None:
    """Die by SIGKILL if this point is armed."""
    if _folder is not None:
        _look(_folder / point)


def _look(armed: Path) -> None:
    try:
        left = int(armed.read_text() or 1) - 1
    except FileNotFoundError:
        return
    if left > 0:
        armed.write_text(str(left))
        return
    armed.unlink()
    os.kill(os.getpid(), signal.SIGKILL)
