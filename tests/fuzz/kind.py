"""What a sort of hostile record is: data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from shared.events.topics import Topic
from tests.fuzz.records import Good

Outcome: TypeAlias = Literal["taken", "refused", "parked", "dropped"]
"""`refused`: a command that was taken, and that the router answers by an event (CommandRefused). Nothing else changed."""
CANARY: Final = "Camille Exemple"
TAKEN: Final = frozenset[Outcome]({"taken"})
REFUSED: Final = frozenset[Outcome]({"refused"})
PARKED: Final = frozenset[Outcome]({"parked"})
EITHER: Final = frozenset[Outcome]({"taken", "parked"})


@dataclass(frozen=True)
class Kind:
    """A sort of hostile record. `make` gets a good record of a new request. `numbered`, `open`: on which topics it is one."""

    name: str
    make: Callable[[Good], Good]
    outcomes: frozenset[Outcome] = PARKED
    numbered: bool = True
    open: bool = True
    fields: tuple[str, ...] = ()
    """It is one on topics all of whose events have these."""
    because: str = ""
    """The reason that is told when it is parked says so; of what is refused: this is the code."""
    heavy: bool = False
    """It takes long, because it is large."""

    def is_for(self, topic: Topic) -> bool:
        """Whether it makes sense on a topic."""
        has_fields = all(name in cls.model_fields for cls in topic.types for name in self.fields)
        return has_fields and (self.numbered if topic.sequenced else self.open)
