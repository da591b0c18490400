"""A folder of configuration to spoil, and the installation that is shipped."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from shared.organisation import Authority, load

SHIPPED = Path(__file__).parents[2] / "deploy" / "organisation"

Edit = Callable[[str, str, str], int]


@pytest.fixture(scope="session")
def town() -> Authority:
    return load(SHIPPED).authority("rivemont")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped configuration."""
    return copytree(SHIPPED, tmp_path / "organisation")


@pytest.fixture
def edit(folder: Path) -> Edit:
    """Replace the first `old` of a file; gives the line on which it stood."""

    def replace(name: str, old: str, new: str) -> int:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    return replace
