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
    return [Line(one, catcher) for one in mutants for catcher in (one.caught_by, *one.also)]


def as_text(lines: Sequence[Line]) -> str:
    """Return the table for a terminal."""
    return "\n".join(f"{line.verdict:7} {line.took:>6}  {line.mutant.name:32} {line.catcher.tests[0]}" for line in lines)


def as_markdown(lines: Sequence[Line]) -> str:
    """Return the table for a page."""
    rows = [
        f"| `{line.mutant.name}` | {line.mutant.what} | {line.catcher.kind}: `{' '.join(line.catcher.tests)}` "
        f"| {line.verdict} | {line.took} |"
        for line in lines
    ]
    return "\n".join(["| mutant | what it is | who has to notice | | |", "|---|---|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    print(as_markdown(lines_of(MUTANTS)), end="")
