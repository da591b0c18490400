"""Creates the virtual environment with the pinned, hashed packages of requirements/dev.txt.

Run by `make venv` with the system's Python, before any package exists: standard library only, and plain enough
for an old Python to say that it is too old.
"""

# ruff: noqa: UP031, UP036

import fcntl
import os
import shutil
import subprocess
import sys
import time
from typing import NoReturn

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REQUIREMENTS = os.path.join(ROOT, "requirements", "dev.txt")
PROGRESS_EVERY_PACKAGES = 25


def fail(message: str) -> NoReturn:
    sys.exit("make venv: %s" % message)


def check_python() -> None:
    version = "%d.%d" % sys.version_info[:2]
    if sys.version_info < (3, 11):
        fail("Python 3.11 or newer is needed, %s is %s: apt-get install python3.11 python3.11-venv" % (sys.executable, version))
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        fail("%s has no venv module: apt-get install python3-venv" % sys.executable)


def create(folder: str) -> None:
    """A failed attempt leaves nothing that a later one could mistake for a complete environment."""
    shutil.rmtree(folder, ignore_errors=True)
    if subprocess.call([sys.executable, "-m", "venv", folder]) != 0:
        shutil.rmtree(folder, ignore_errors=True)
        fail("the environment could not be created (see above); if ensurepip is missing: apt-get install python3-venv")


def install(folder: str) -> None:
    python = os.path.join(folder, "bin", "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off"]
    with open(REQUIREMENTS, encoding="utf-8") as lines:
        total = sum(1 for line in lines if "==" in line and not line.lstrip().startswith("#"))
    print("Installing %d pinned packages (about half a minute)" % total, flush=True)
    process = subprocess.Popen(
        [*pip, "--require-hashes", "-r", REQUIREMENTS], stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    last_lines: list[str] = []
    collected = 0
    for line in process.stdout or ():
        last_lines = [*last_lines[-20:], line]
        if line.startswith("Collecting "):
            collected += 1
            if collected % PROGRESS_EVERY_PACKAGES == 0:
                print("  %d of %d" % (collected, total), flush=True)
        elif line.startswith("Installing collected"):
            print("  all fetched and verified, unpacking", flush=True)
    if process.wait() != 0:
        sys.stderr.writelines(last_lines)
        fail("pip could not install requirements/dev.txt (see above)")
    subprocess.check_call([*pip, "-q", "--no-deps", "--no-build-isolation", "-e", ROOT])


def folder_of(arguments: "list[str]") -> str:
    usage = "usage: environment.py FOLDER\n\n%s" % __doc__
    if arguments in (["-h"], ["--help"]):
        print(usage)
        sys.exit(0)
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write(usage)
        sys.exit(2)
    return os.path.abspath(arguments[0])


def main() -> None:
    folder = folder_of(sys.argv[1:])
    check_python()
    stamp = os.path.join(folder, ".complete")
    asked_at = time.time()
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(folder + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(stamp) and os.path.getmtime(stamp) > asked_at:
            return  # another make finished it while this one waited
        create(folder)
        install(folder)
        with open(stamp, "w", encoding="utf-8"):
            pass


main()
