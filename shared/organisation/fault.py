"""What is wrong in a configuration, so that the person who wrote it can mend it without reading code."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to mend. Sorted by place."""

    file: str
    line: int
    path: str
    message: str
    allowed: tuple[str, ...] = ()

    def __str__(self) -> str:
        """`file.yaml:LINE: path.to.field: what is wrong; allowed: a, b, c`."""
        allowed = f"; allowed: {', '.join(self.allowed)}" if self.allowed else ""
        return f"{self.file}:{self.line}: {self.path}: {self.message}{allowed}"


class ConfigurationError(Exception):
    """The configuration cannot be used. The text has one line per fault; the operator mends the files."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


def hint(value: str, allowed: Iterable[str]) -> str:
    """ ", did you mean X?" for the nearest allowed value, or nothing."""
    nearest = get_close_matches(value, list(allowed), n=1, cutoff=0.6)
    return f", did you mean {nearest[0]!r}?" if nearest else ""
