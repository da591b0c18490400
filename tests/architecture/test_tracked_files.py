"""What is in the repository: no machine's paths, no private addresses, no secrets, nothing that is made; texts complete."""

import re
import subprocess

import pytest
from babel.messages.pofile import read_po

from shared.pages.catalogue import Catalogue, missing_translations
from tests.architecture.tree import ROOT, files

_MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:home|root|Users|work|mnt|media)/[\w.-]+")
_PRIVATE_HOST = re.compile(
    r"https?://(?:10|172\.(?:1[6-9]|2\d|3[01])|192\.168)(?:\.\d+)+|--(?:extra-)?index-url\b|\b(?:artifactory|nexus)\b"
)
_SECRET = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bghp_[A-Za-z0-9]{36}\b")
_NAMED_FOR_THEIR_OWN_SAKE = {"tests/architecture/test_tracked_files.py"}


def texts() -> list[tuple[str, str]]:
    found = []
    for path in files():
        if path not in _NAMED_FOR_THEIR_OWN_SAKE:
            try:
                found.append((path, (ROOT / path).read_text(encoding="utf-8")))
            except UnicodeDecodeError:
                continue  # an image
    return found


@pytest.mark.parametrize("pattern", [_MACHINE_PATH, _PRIVATE_HOST, _SECRET], ids=["path", "host", "secret"])
def test_no_file_tells_of_the_machine_that_it_was_written_on(pattern: re.Pattern[str]) -> None:
    found = {f"{path}: {match.group()}" for path, text in texts() for match in pattern.finditer(text)}
    assert not found, "\n".join(sorted(found))


def test_such_traces_are_seen() -> None:
    assert _MACHINE_PATH.search("see /home/solene/aiguilleur")
    assert not _MACHINE_PATH.search("http://127.0.0.1/home/1")
    assert _PRIVATE_HOST.search("pip --index-url https://mirror/simple")


def test_requirements_name_no_registry() -> None:
    """The same pinned, hashed file works whichever registry pip is told to use."""
    for name in ("runtime.txt", "dev.txt", "runtime.in", "dev.in"):
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        told = [line for line in lines if "://" in line and not line.lstrip().startswith("#")]
        assert not told, f"requirements/{name}: {told}"


@pytest.mark.parametrize("path", [".local/x", ".hypothesis/x", ".schemathesis/x", ".env", "services/__pycache__/x.pyc"])
def test_what_is_made_is_ignored(path: str) -> None:
    assert subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT).returncode == 0


def test_nothing_that_is_made_is_tracked() -> None:
    assert not [
        path for path in files() if path.startswith((".local/", ".hypothesis/")) or path.endswith((".pyc", ".mo", ".pot"))
    ]


@pytest.mark.parametrize("path", [path for path in files() if path.endswith(".po")])
def test_every_catalogue_is_complete(path: str) -> None:
    """Each text of the pages and mails has its translation, none is doubtful, none is left from before."""
    folder = (ROOT / path).parents[3]
    language = (ROOT / path).parent.parent.name
    assert missing_translations([folder], Catalogue(folder / "locale"), language) == []
    with (ROOT / path).open("rb") as file:
        catalogue = read_po(file)
    doubtful = [message.id for message in catalogue if message.id and (message.fuzzy or not message.string)]
    assert not doubtful
    assert not catalogue.obsolete


def test_every_service_with_pages_has_a_catalogue() -> None:
    folders = {path.split("/templates/")[0] for path in files() if "/templates/" in path and path.startswith("services/")}
    catalogues = {path.split("/locale/")[0] for path in files() if path.endswith(".po")}
    assert folders <= catalogues
