"""The source tree, as the tests of this folder look at it: parsed, never imported."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("aiguilleur", "services", "shared", "deploy", "tests")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A Python file of the repository. `path` is relative to its root."""

    path: str
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The name that it is imported by."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def imports(self) -> set[str]:
        """The dotted names that it imports, of modules and of what is in them; relative imports are not used here."""
        found = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        return found


def parse(path: str, text: str) -> Module:
    return Module(path, text, ast.parse(text, filename=path))


@cache
def files() -> tuple[str, ...]:
    """What git tracks, or would if it were added."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(path for path in sorted(set(listed.splitlines())) if (ROOT / path).is_file())


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """The Python files under these folders (all of them, when none is named)."""
    starts = tuple(f"{folder}/" for folder in folders or CODE)
    paths = [path for path in files() if path.endswith(".py") and path.startswith(starts)]
    return tuple(parse(path, (ROOT / path).read_text(encoding="utf-8")) for path in paths)
