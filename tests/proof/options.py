"""What a proof is asked for on the command line."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """`short`: the form that CI runs. `seed` and `minutes`: None leaves them to the proof; `catalogue` says what they do."""

    folder: Path
    short: bool = False
    seed: int | None = None
    minutes: float | None = None
    commit: str = ""
    """Of the tree when the proof began; ends with + when files of it were changed. Empty: there is no git here."""
