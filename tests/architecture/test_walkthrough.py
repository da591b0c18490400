"""docs/walkthrough.md leads a newcomer through the code: what it names must be there."""

import ast
import re

import pytest

from tests.architecture.tree import ROOT, Function

_PLACE = re.compile(r"`([\w./-]+\.py)(?::([\w.]+))?`")
_HOP = re.compile(r"^\d+\. ", re.MULTILINE)


def walkthrough() -> str:
    return (ROOT / "docs/walkthrough.md").read_text(encoding="utf-8")


def hops() -> list[str]:
    """The numbered paragraphs."""
    return _HOP.split(walkthrough())[1:]


def names_in(path: str) -> set[str]:
    """The functions, classes and methods that a file defines, by name and, in classes, by Class.name."""
    return set(_names(ast.parse((ROOT / path).read_text(encoding="utf-8")), ""))


def _names(tree: ast.AST, owner: str) -> set[str]:
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            found |= {node.name} | _names(node, f"{node.name}.")
        elif isinstance(node, Function):
            found |= {f"{owner}{node.name}"} | _names(node, "")  # a route inside the function that adds it
        else:
            found |= _names(node, owner)
    return found


def test_it_takes_at_most_ten_hops_and_each_has_a_place() -> None:
    assert 5 <= len(hops()) <= 10
    without = [hop[:60] for hop in hops() if not any(function for _, function in _PLACE.findall(hop))]
    assert not without, "a hop that names no function"


def test_it_goes_through_every_service_and_the_shell() -> None:
    folders = {"/".join(path.split("/")[:2]) for hop in hops() for path, _ in _PLACE.findall(hop)}
    assert folders >= {f"services/{name}" for name in ("intake", "router", "sla", "notifier", "stats")} | {"shared/delivery"}


@pytest.mark.parametrize(("path", "function"), sorted(set(_PLACE.findall(walkthrough()))))
def test_what_it_names_is_there(path: str, function: str) -> None:
    assert (ROOT / path).is_file(), f"docs/walkthrough.md names {path}, which is not there"
    assert not function or function in names_in(path), f"docs/walkthrough.md: {path} defines no {function}"


def test_what_is_not_there_is_noticed() -> None:
    assert "LocalQueue.apply" in names_in("shared/delivery/local_queue.py")
    assert "apply" not in names_in("shared/delivery/local_queue.py")
    assert "send" in names_in("services/intake/form_pages.py")
    assert "send_nothing" not in names_in("services/intake/form_pages.py")
