"""Where local files live: everything under the ignored folder `.local/` of the checkout."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from deploy.local import process

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
CACHE = LOCAL / "cache"
RUNS = LOCAL / "run"
ELSEWHERE = "elsewhere"


def own_run() -> Path:
    """A folder for the servers of this very process; two runs side by side never share one."""
    folder = RUNS / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sweep_dead_runs() -> None:
    """Ends servers whose run was killed before it could stop them, and removes that run's data."""
    for folder in RUNS.glob("*") if RUNS.is_dir() else ():
        if folder.name.isdigit() and not psutil.pid_exists(int(folder.name)):
            for pid_file in folder.rglob("*.pid"):
                process.end_recorded(pid_file)
            remove(folder)


def remove(folder: Path) -> None:
    """Removes the data of stopped servers, also what had to be kept elsewhere."""
    for link in folder.rglob(ELSEWHERE):
        shutil.rmtree(link.resolve(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def exclusively(folder: Path) -> Iterator[Path]:
    """One process at a time fills `folder` (created here); others wait and then find it filled."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
