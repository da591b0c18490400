"""What happened in some seeds, and what never did; kept in a file, so that a long run may be broken off."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from shared.events.topics import SERVICES, produced_by
from tests.simulation.faults import KINDS

ACTS: Final = (
    "usager: add done", "usager: add refused", "usager: withdraw done", "usager: withdraw refused", "usager: reopen done",
    "usager: reopen refused", "usager: erase done", "wrote badly", "repeated a post", "reused a key for something else",
    "clicked twice", "handed over by an adapter", "handed over twice", "agent: soon", "agent: away", "agent: old link",
    "agent forgot", "agent: link expired", "agent: two at once", "agent: same link twice", "agent: take_charge done",
    "agent: ask done", "agent: answer done", "agent: transfer done", "agent: resolve done", "agent: answer refused",
    "agent: transfer refused", "agent: answer unknown", "software: take_charge", "software: transfer", "software: resolve",
    "software: answer", "software: issued twice", "software: resolve of a stranger", "software: resolve elsewhere",
    "operator: skipped", "operator: replayed", "operator: republished", "mail taken", "mail put off", "mail refused",
    "mail no address", "mail away", "parked gap", "parked waiting", "parked poison", "parked undecodable", "parked refused",
    "settled taken", "settled replaced", "settled skipped", "waited for a lock", "state read back", "event read back",
    "conflict or retry", "duplicate dropped", "handed out again and passed over", "passed over from a former owner",
    "taken before an earlier event of its request", "deadlines: claim unheard", "letters: claim unheard",
    "letters: put back unheard", "letters: release unheard", "lost event: seen as a gap", "lost event: the last of its request",
    "killed in Connection.__aenter__", "killed in Connection.wait", "killed in Line.send", "killed in Locks.take",
    "killed in MemorySender.serve", "killed in Consumer.serve", "killed in Process._serve_local", "killed in Consumer._take",
    "killed in Consumer._look", "killed in Relay.serve", "killed in Transaction._answer", "killed in tick",
)  # fmt: skip
"""What people, mail servers and parked records must have done at least once, and where a process must have died."""


@dataclass
class Tally:
    """What happened in seeds that were run one after another, from the first on."""

    seeds: int = 0
    requests: int = 0
    thorough_seeds: int = 0
    thorough_requests: int = 0
    events: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    broken: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Add what happened in others."""
        self.seeds += other.seeds
        self.requests += other.requests
        self.thorough_seeds += other.thorough_seeds
        self.thorough_requests += other.thorough_requests
        self.events += other.events
        self.faults += other.faults
        self.acts += other.acts
        self.broken |= other.broken

    def missing(self) -> list[str]:
        """Return the faults, acts and events that never happened."""
        events = [cls.type_ for service in SERVICES for topic in produced_by(service) for cls in topic.types]  # type: ignore[attr-defined]  # every event class has it
        return [
            *(kind for kind in KINDS if not self.faults[kind]),
            *(act for act in ACTS if not self.acts[act]),
            *(name for name in events if not self.events[name]),
        ]

    def save(self, path: Path, *, commit: str) -> None:
        """Keep it as what the seeds came to that this tree ran."""
        path.parent.mkdir(parents=True, exist_ok=True)
        told = {name: dict(one) if isinstance(one, Mapping) else one for name, one in vars(self).items()}
        new = path.with_suffix(".new")
        new.write_text(json.dumps({"commit": commit, **told}))
        new.replace(path)

    @classmethod
    def find(cls, path: Path, *, commit: str) -> "Tally | None":
        """Return what was kept by this very tree: of a commit without changes."""
        if not commit or commit.endswith("+") or not path.exists():
            return None
        kept: dict[str, Any] = json.loads(path.read_text())
        if kept.pop("commit") != commit:
            return None
        for name in ("events", "faults", "acts"):
            kept[name] = Counter(kept[name])
        kept["broken"] = {int(seed): lines for seed, lines in kept["broken"].items()}
        return cls(**kept)
