"""What became of each link that agents pressed: as the pages told it, and against what the world knows itself."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.delivery.core import DigestMismatch
from shared.delivery.errors import Unavailable
from shared.delivery.values import Result
from shared.events.handling import Action, CommandRefused
from tests.judge.evidence import Act, Outcome
from tests.simulation.mail import Envelope

if TYPE_CHECKING:
    from tests.simulation.world import World

LASTS: Final = timedelta(days=7)
"""How long a link can be followed, in whole seconds from the instant that it was made."""


@dataclass(slots=True)
class Click:
    """A link that somebody pressed, once or more often. It can be taken once: done or refused."""

    mail: Envelope
    action: Action
    made_at: datetime
    uncertain: int = 0
    """How many presses may have been taken, for all that their agents were told."""
    overlapped: bool = False
    """Whether two presses were under way at once: of one batch, both are told what the first is, even that it failed."""
    settled: Outcome | None = None
    why: str = ""
    targets: set[str | None] = field(default_factory=set)
    """Where its presses were to transfer the request to; once it is settled, where the one that was taken was to."""

    @property
    def outcome(self) -> Outcome:
        """What its agents know of it."""
        return self.settled or ("unknown" if self.uncertain else "refused")

    @property
    def act(self) -> Act:
        """What the checker has to know of it."""
        mail, target = self.mail, next(iter(self.targets)) if len(self.targets) == 1 else None
        return Act(mail.request_id, self.action, self.outcome, self.why, mail.version, mail.mailbox, target, self.why)


class Clicks:
    """All links that were pressed, by their tokens."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._clicks: dict[str, Click] = {}

    def of(self, token: str, mail: Envelope, action: Action, made_at: datetime) -> Click:
        """Return what is known of a link."""
        return self._clicks.setdefault(token, Click(mail, action, made_at))

    def acts(self) -> list[Act]:
        """Return what came of each link."""
        return [click.act for click in self._clicks.values()]

    def opened(self, click: Click, *, opens: bool, now: datetime) -> None:
        """A page showed a link, or said that its time is over, when its clock showed `now`."""
        if opens != (now < click.made_at.replace(microsecond=0) + LASTS):
            told = "still opens" if opens else "is said to be over"
            self._world.violate(f"acts: the link of {click.made_at} to {click.action} {click.mail.request_id} {told} at {now}")

    def press(self, click: Click, target: str | None) -> bool:
        """A press goes out; return whether the router knew the request by then."""
        click.overlapped |= click.uncertain > 0
        click.uncertain += 1
        if not click.settled:
            click.targets.add(target)
        return self._world.groups["router"].tables.state(click.mail.request_id) is not None

    def answer(self, click: Click, result: Result[Any] | None, *, target: str | None, was_known: bool) -> str | None:
        """A press was answered, or was not; return what it was told, None where it told nothing."""
        if result is None or isinstance(result.error, Unavailable):
            return None
        click.uncertain -= 1
        was_pressed = bool(click.uncertain or click.settled or click.overlapped)
        if result.kind == "duplicate" or isinstance(result.error, DigestMismatch):
            if not was_pressed:
                self._violate(click, f"is told {result.error!r}, {result.kind}, and nobody had pressed it before")
            return "used"
        if result.error is not None:
            if was_known:
                self._violate(click, f"is told {result.error!r}")
            return repr(result.error)
        if click.settled:
            self._violate(click, f"is taken once more; it was {click.settled} before")
        refusal = next((event for event in result.events if isinstance(event, CommandRefused)), None)
        click.settled, click.targets = "refused" if refusal else "done", {target}
        click.why = refusal.why if refusal else ""
        return click.why

    def _violate(self, click: Click, what: str) -> None:
        mail = click.mail
        self._world.violate(f"acts: {mail.request_id}: a link of version {mail.version} to {click.action} {what}")
