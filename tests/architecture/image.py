"""What `docker build` would put into the image, read from deploy/Dockerfile and .dockerignore, without Docker."""

import re
import shutil
from fnmatch import fnmatch
from pathlib import Path

from tests.architecture.tree import ROOT, files


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, continued lines joined."""
    text = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()]


def last_stage() -> list[tuple[str, str]]:
    """The instructions of the stage that becomes the image."""
    found = instructions()
    return found[max(place for place, (name, _) in enumerate(found) if name == "FROM") :]


def environment() -> dict[str, str]:
    """What ENV sets in the image."""
    pairs = " ".join(rest for name, rest in last_stage() if name == "ENV").split()
    return dict(pair.split("=", 1) for pair in pairs)


def context() -> list[str]:
    """The files that .dockerignore lets into the build; its last line that matches a file decides."""
    rules = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return [path for path in files() if not _ignored(path, rules)]


def _ignored(path: str, rules: list[str]) -> bool:
    ignored = False
    for rule in rules:
        if _matches(path, rule.removeprefix("!")):
            ignored = not rule.startswith("!")
    return ignored


def _matches(path: str, pattern: str) -> bool:
    """Whether a pattern names the file or a folder that it is in."""
    parts = path.split("/")
    ancestors = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    if pattern.startswith("**/"):
        return any(fnmatch(part, pattern.removeprefix("**/")) for part in parts)
    return pattern in ancestors or (pattern == "*" and bool(parts))


def unpack(folder: Path) -> Path:
    """Lay the files of the image's /app into a folder, as its COPY instructions do."""
    for name, rest in last_stage():
        if name == "COPY" and not rest.startswith("--from"):
            source, target = rest.split()
            for path in context():
                if path == source or path.startswith(f"{source}/"):
                    place = folder / (target + path.removeprefix(source))
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(ROOT / path, place)
    return folder
