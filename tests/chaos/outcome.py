"""What became of a seed, as it is kept in a file and told in a table."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Literal

from tests.proof.report import percentile

_SHARES: Final = {"p50": 0.5, "p99": 0.99, "most": 1.0}


@dataclass
class Outcome:
    """One seed's run. `recoveries`: seconds from a death to being ready, where no server was away meanwhile."""

    seed: int
    form: str
    commit: str = ""
    """Of the tree that ran it; ends with + when files of it were changed."""
    copies: dict[str, int] = field(default_factory=dict)
    """How many processes a service had, where these were not one."""
    faults: dict[str, int] = field(default_factory=dict)
    points: list[str] = field(default_factory=list)
    """Reached, that is: a service died there."""
    missed_points: list[str] = field(default_factory=list)
    unfelt: dict[str, int] = field(default_factory=dict)
    """Of `faults`, those that met nobody: no write found the disk full, nothing was sent through the link meanwhile."""
    alarms_drawn: dict[str, int] = field(default_factory=dict)
    alarms_judged: dict[str, int] = field(default_factory=dict)
    """By alarm: faults of which somebody could be asked, as they lasted and a service was there to tell."""
    posted: int = 0
    accepted: int = 0
    unknown: int = 0
    """Posts that were given up without an answer."""
    unknown_done: int = 0
    """Requests of such posts: those that were taken all the same."""
    acts: int = 0
    mails: int = 0
    repeated_mails: int = 0
    mail_losses: int = 0
    deaths: int = 0
    recoveries: list[float] = field(default_factory=list)
    red: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each part of the run took."""

    def save(self, folder: Path) -> None:
        """Keep it."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.form}-{self.seed}.json"
        path.write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def find(cls, folder: Path, form: str, seed: int, *, commit: str) -> "Outcome | None":
        """Return what was kept of an earlier run of a seed by this very tree: of a commit without changes."""
        path = folder / f"{form}-{seed}.json"
        if not commit or commit.endswith("+") or not path.exists():
            return None
        kept = cls(**json.loads(path.read_text()))
        return kept if kept.commit == commit else None

    def line(self) -> str:
        """Tell it in a line."""
        took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.seconds.items())
        return (
            f"seed {self.seed}{', with copies' * bool(self.copies)}: {sum(self.faults.values())} faults, {self.deaths} deaths, "
            f"{len(self.points)} points, "
            f"{self.accepted} of {self.posted} accepted, {self.unknown} unknown ({self.unknown_done} done), "
            f"{self.acts} acts, {self.mails} mails, {self.repeated_mails} again, {len(self.violations)} violations ({took})"
        )


def total(outcomes: Sequence[Outcome], name: Literal["faults", "unfelt", "alarms_drawn", "alarms_judged"]) -> Counter[str]:
    """Add up what is counted by kind."""
    counts: Counter[str] = Counter()
    for one in outcomes:
        counts.update(getattr(one, name))
    return counts


def table(outcomes: Sequence[Outcome]) -> str:
    """Tell several seeds in a table."""
    faults, unfelt = total(outcomes, "faults"), total(outcomes, "unfelt")
    drawn, judged = total(outcomes, "alarms_drawn"), total(outcomes, "alarms_judged")
    lines = ["faults by kind:"]
    lines += [
        f"  {name:16} {count:6}{f', {unfelt[name]} met nobody' * (unfelt[name] > 0)}" for name, count in sorted(faults.items())
    ]
    lines.append("alarms, faults that somebody could be asked of, of all:")
    lines += [f"  {name:16} {judged[name]:6} of {count}" for name, count in sorted(drawn.items())]
    for name in ("posted", "accepted", "unknown", "unknown_done", "acts", "mails", "repeated_mails", "deaths"):
        lines.append(f"{name:18} {sum(getattr(one, name) for one in outcomes):8}")
    recoveries = [seconds for one in outcomes for seconds in one.recoveries]
    if recoveries:
        shown = ", ".join(f"{name} {percentile(recoveries, share):.1f}" for name, share in _SHARES.items())
        lines.append(f"from a death to being ready, {len(recoveries)} times: {shown} s")
    lines += [f"seed {one.seed} red: {text}" for one in outcomes for text in one.red]
    lines += [f"seed {one.seed}: {text}" for one in outcomes for text in one.violations[:20]]
    return "\n".join(lines)
