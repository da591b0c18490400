"""Kafka's jars, fetched by jgo (no Maven, no Java) and checked against our own lock on every use.

`python -m deploy.local.jars` resolves KAFKA anew and rewrites the lock: read the difference before you commit it.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from jgo.maven import MavenContext
from jgo.parse import Endpoint

from deploy.local import folders

# "!" keeps each coordinate's own versions: without it jgo picks an old kafka-clients. The slf4j binding gives a log.
KAFKA = "org.apache.kafka:kafka_2.13:4.4.0!+org.apache.logging.log4j:log4j-slf4j-impl:2.25.5!"
LOCK = Path(__file__).with_name("kafka.lock")
_FETCHES_AT_ONCE = 8


class JarMismatchError(RuntimeError):
    """A jar is not the one that was locked. Nothing of it may be run."""


def kafka_jars() -> list[Path]:
    """The verified jars of the lock, from the cache or the registry. Raises JarMismatchError, and OSError offline."""
    with folders.exclusively(folders.CACHE / "jars") as cache, ThreadPoolExecutor(_FETCHES_AT_ONCE) as threads:
        maven = _maven(cache)
        return list(threads.map(lambda line: _verified(maven, *line), _locked()))


def _maven(cache: Path) -> MavenContext:
    return MavenContext(repo_cache=cache, timeout=60)


def _locked() -> list[tuple[str, str]]:
    lines = (line for line in LOCK.read_text().splitlines() if line and not line.startswith("#"))
    return [(coordinate, sha256) for coordinate, sha256 in (line.split() for line in lines)]


def _verified(maven: MavenContext, coordinate: str, sha256: str) -> Path:
    group, name, version = coordinate.split(":")
    jar = Path(maven.project(group, name).at_version(version).artifact().resolve())
    found = _sha256(jar)
    if found != sha256:
        raise JarMismatchError(
            f"{coordinate}: {jar} has sha256 {found}, {LOCK.name} says {sha256}. It was damaged or replaced: "
            f"remove the file and try again; if it differs once more, do not run it."
        )
    return jar


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_lock() -> None:
    maven = _maven(folders.CACHE / "jars")
    wanted = [maven.create_dependency(replace(coordinate, scope="compile")) for coordinate in Endpoint.parse(KAFKA).coordinates]
    direct, transitive = maven.resolver.resolve(wanted)
    needed = [*direct, *(dependency for dependency in transitive if dependency.scope in ("compile", "runtime"))]
    artifacts = [dependency.artifact for dependency in needed]
    lines = sorted(f"{a.groupId}:{a.artifactId}:{a.version} {_sha256(Path(a.resolve()))}" for a in artifacts)
    LOCK.write_text("# group:artifact:version sha256, written by `python -m deploy.local.jars`\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    write_lock()
    print(f"{LOCK.name}: {len(_locked())} jars")
