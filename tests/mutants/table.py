"""The mutants in a table. `python -m tests.mutants.table` prints it as Markdown without trying anything."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Catcher, Mutant


@dataclass(frozen=True)
class Line:
    """A mutant and one catcher. `is_caught` None: not tried."""

    mutant: Mutant
    catcher: Catcher
    is_caught: bool | None = None
    seconds: float | None = None

    @property
    def verdict(self) -> str:
        """What came of it, in a word."""
        return {True: "caught", False: "MISSED", None: ""}[self.is_caught]

    @property
    def took(self) -> str:
        """How long it took."""
        return "" if self.seconds is None else f"{self.seconds:.0f} s"


def lines_of(mutants: Sequence[Mutant]) -> list[Line]:
    """Return a line for each mutant and catcher, untried."""
    return [Line(one, catcher) for one in mutants for catcher in one.catchers]


def as_text(lines: Sequence[Line]) -> str:
    """Return the table for a terminal."""
    return "\n".join(f"{line.verdict:7} {line.took:>6}  {line.mutant.name:32} {line.catcher.tests[0]}" for line in lines)


def as_row(line: Line) -> str:
    """Return a line for a page."""
    who = f"{line.catcher.kind}: `{' '.join(line.catcher.tests)}`, `{line.catcher.says.strip()}`"
    return f"| `{line.mutant.name}` | {line.mutant.what} | {who} | {line.verdict} | {line.took} |"


def as_markdown(lines: Sequence[Line]) -> str:
    """Return the table for a page."""
    heading = "| mutant | what it is | who has to notice, and what it says | noticed | after |\n|---|---|---|---|---|\n"
    return heading + "".join(f"{as_row(line)}\n" for line in lines)


def as_page(lines: Sequence[Line], *, tried: str) -> str:
    """Return docs/mutants.md. `tried`: when, or that they were not."""
    return f"""# Mutants

Seeded bugs, and who has to notice each: written by `python -m tests.proof mutants`, in its long form. A catcher has to fail,
and to name what is broken. A mutant has a line for each catcher. {tried}

{as_markdown(lines)}"""


def outdated(page: str) -> set[str]:
    """Return what the lines of docs/mutants.md and the catalogue do not have in common, whatever came of it."""
    rows = {_untried(row) for row in page.splitlines() if row.startswith("| `")}
    return rows ^ {_untried(as_row(line)) for line in lines_of(MUTANTS)}


def _untried(row: str) -> str:
    """Return a row without its last two columns."""
    return row.rsplit("|", 3)[0]


if __name__ == "__main__":
    print(as_page(lines_of(MUTANTS), tried="These lines were not tried."), end="")
