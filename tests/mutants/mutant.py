"""A seeded bug as data: where, what stands there, what shall stand there, and who has to notice."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["test", "simulation", "chaos"]


class DoesNotApply(Exception):
    """The source has moved on: the mutant has to be written anew, or it would prove nothing."""


@dataclass(frozen=True)
class Edit:
    """One change of one file. `old` stands there exactly once."""

    path: str
    old: str
    new: str

    def apply(self, text: str) -> str:
        """Return the text with the change. Raises DoesNotApply."""
        if (count := text.count(self.old)) != 1:
            raise DoesNotApply(f"{self.path} has {count} times, not once: {self.old!r}")
        return text.replace(self.old, self.new)


@dataclass(frozen=True)
class Catcher:
    """What has to fail: tests by their pytest names, and what it says: the test that fails, or a part of the violation found."""

    tests: tuple[str, ...]
    says: str
    servers: bool = False
    """Whether it needs real servers, which take their time to start: the short form leaves it out."""

    kind: Kind = "test"


@dataclass(frozen=True)
class Mutant:
    """A bug that somebody could write. `also`: further catchers, that the long form runs too."""

    name: str
    what: str
    edits: tuple[Edit, ...]
    caught_by: Catcher
    also: tuple[Catcher, ...] = ()

    @property
    def catchers(self) -> tuple[Catcher, ...]:
        """All of them, the first one first."""
        return self.caught_by, *self.also

    @property
    def quick(self) -> tuple[Catcher, ...]:
        """The first that needs no server, if there is one."""
        return tuple(one for one in self.catchers if not one.servers)[:1]

    def check(self, root: Path) -> None:
        """Raises DoesNotApply."""
        self.sources(root)

    def sources(self, root: Path) -> dict[Path, str]:
        """Return the changed files of a tree, as they shall be. Raises DoesNotApply."""
        changed: dict[Path, str] = {}
        for edit in self.edits:
            path = root / edit.path
            try:
                changed[path] = edit.apply(changed[path] if path in changed else path.read_text())
            except (DoesNotApply, FileNotFoundError) as error:
                raise DoesNotApply(f"mutant {self.name} does not apply any more: {error}") from None
        return changed


def edit(path: str, old: str, new: str) -> tuple[Edit, ...]:
    """Return a single edit, as most mutants have."""
    return (Edit(path, old, new),)


def caught(*tests: str, says: str, servers: bool = False) -> Catcher:
    """Return tests, and which of them fails."""
    return Catcher(tests, says, servers)


def simulated(says: str) -> Catcher:
    """Return seeds of the simulation, and the violation that they find."""
    return Catcher(("tests/mutants/in_simulation.py",), says, kind="simulation")


def in_chaos(says: str) -> Catcher:
    """Return a seed of the chaos on real parts, and the violation that it finds."""
    return Catcher(("tests/mutants/on_real_parts.py",), says, servers=True, kind="chaos")
