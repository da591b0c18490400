"""A page of docs/operations as a list of commands, and what is to be seen after each block of them.

In a page, a block ```sh is run line by line; a block ```text right after it is what its output holds: each line of it somewhere,
in this order, where "…" stands for anything. `until=well` on a block: it is repeated until it ends without an error.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs/operations"
_BLOCK = re.compile(r"^(#+ [^\n]+)$|^```(sh|text)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """Commands that are run one after another, and the lines that they must have said."""

    heading: str
    commands: tuple[str, ...]
    seen: tuple[str, ...] = ()
    until_well: bool = False


def read(page: str) -> list[Block]:
    """Return the blocks of a page, in their order."""
    blocks: list[Block] = []
    heading = ""
    for found in _BLOCK.finditer((PAGES / page).read_text()):
        title, kind, flags, body = found.groups()
        if title:
            heading = title.lstrip("# ")
        elif kind == "sh":
            blocks.append(Block(heading, tuple(body.splitlines()), until_well="until=well" in flags))
        else:
            last = blocks.pop()
            blocks.append(Block(last.heading, last.commands, tuple(body.splitlines()), last.until_well))
    return blocks


def missing(block: Block, output: str) -> list[str]:
    """Return the lines that were to be seen after a block, from the first on that its output does not hold in order."""
    rest = output
    for place, line in enumerate(block.seen):
        found = re.search(".*".join(map(re.escape, line.split("…"))), rest)
        if found is None:
            return list(block.seen[place:])
        rest = rest[found.end() :]
    return []


async def follow(page: str, run: Callable[[str, bool], Awaitable[str]], *, without: str = "") -> list[tuple[str, str]]:
    """Run a page's commands, but those under the heading `without`; return each block's commands with what they said.

    `run(command, until_well)` returns what a command said. Raises AssertionError: something was not to be seen.
    """
    said: list[tuple[str, str]] = []
    for block in read(page):
        if without and block.heading == without:
            continue
        output = "".join([await run(command, block.until_well) for command in block.commands])
        assert not missing(block, output), f"after {block.commands} the page promises {missing(block, output)}, not\n{output}"
        said.append(("\n".join(block.commands), output))
    return said
