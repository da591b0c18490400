"""How commands speak: results on standard output, progress and errors on standard error."""

import sys
import time
from collections.abc import Callable, Sequence

import typer


class CommandError(Exception):
    """What went wrong, in one line, and what to do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


def say(text: str = "") -> None:
    """Print a line of the result."""
    typer.echo(text)


def note(text: str) -> None:
    """Print a line about what is being done."""
    typer.echo(text, err=True)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as aligned columns; numbers stand to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    right = [bool(rows) and all(isinstance(row[place], int | float) for row in rows) for place in range(len(head))]
    lines = []
    for row in cells:
        aligned = (
            cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        lines.append("  ".join(aligned).rstrip())
    return "\n".join(lines)


def progress(what: str) -> Callable[[int, int], None]:
    """Return a function that tells how far a long command has come: on a terminal in place, elsewhere every few seconds."""
    last = 0.0

    def tell(done: int, all_: int) -> None:
        nonlocal last
        now = time.monotonic()
        live = sys.stderr.isatty()
        if done < all_ and now - last < (0.1 if live else 5.0):
            return
        last = now
        text = f"{what}: {done} of {all_}"
        typer.echo(f"\r{text}" if live else text, err=True, nl=not live or done >= all_)

    return tell
