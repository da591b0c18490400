"""P10: from the start of the demo on an installed tree to the first mail. A bare clone, which fetches first, is not measured."""

import sys
import time
from pathlib import Path

from deploy.local import folders
from deploy.local.process import ServerProcess
from tests.proof.report import Figure, median

_MOST_SECONDS = 15
_GIVE_UP_SECONDS = 120.0
_LOOK_SECONDS = 0.02


def seconds_to_the_first_mail(folder: Path) -> float:
    """Start what `make demo ONCE=1` starts, and end it once its mail sink has a mail. Raises TimeoutError with its last words."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    demo = ServerProcess(
        [sys.executable, "-m", "deploy.demo", "--once"],
        log_file=folder / "demo.log",
        pid_file=folder / "demo.pid",
        environment={"AIGUILLEUR_SMTP": ""},  # its own mail sink
    )
    mails = folders.RUNS / str(demo.pid) / "mail" / "index.jsonl"
    try:
        while not (mails.exists() and mails.stat().st_size):
            if demo.exit_code is not None or time.monotonic() - began > _GIVE_UP_SECONDS:
                raise TimeoutError(f"the demo sent no mail: {demo.log_tail()}")
            time.sleep(_LOOK_SECONDS)
        return time.monotonic() - began
    finally:
        demo.stop(timeout_seconds=60)


def measure(folder: Path, *, rounds: int) -> list[Figure]:
    """Return the figure: a start of Kafka, PostgreSQL, the mail sink and the five services each time."""
    took = []
    for number in range(rounds):
        took.append(seconds_to_the_first_mail(folder / str(number)))
        print(f"  round {number + 1}: the demo's first mail after {took[-1]:.1f} s", flush=True)
    value = median(took)
    what = "seconds from the start of `make demo`, once installed, to its first mail"
    return [Figure("P10", what, value, f"<= {_MOST_SECONDS}", value <= _MOST_SECONDS, {"seconds": took})]
