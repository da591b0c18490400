"""What became of each request, read from the archives of the outboxes: every event that was told, in order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

PARIS = ZoneInfo("Europe/Paris")
_TOLD = {
    "transfer": "handling.transferred",
    "take_charge": "handling.taken_in_charge",
    "answer": "handling.answered",
    "resolve": "handling.resolved",
}
_SOURCES = ("intake", "router", "sla", "notifier")


@dataclass(frozen=True)
class Fact:
    """One event: its action (`request.received`, `handling.assigned`...), its data, when it was written down in real time."""

    action: str
    data: dict[str, Any]
    written_at: datetime

    @property
    def at(self) -> datetime:
        """The instant of the fact on the town's clock."""
        return datetime.fromisoformat(self.data["at"])


@dataclass
class Path:
    """The facts of one request, by the town's clock, and whether the statistics know it."""

    request_id: UUID
    facts: list[Fact] = field(default_factory=list)
    counted: bool = False

    def find(self, action: str, **wanted: Any) -> Fact | None:
        """Return the first fact of this action whose data holds what is wanted."""
        for fact in self.facts:
            if fact.action == action and all(fact.data.get(name) == value for name, value in wanted.items()):
                return fact
        return None

    def missing(self, agent: Sequence[str]) -> list[str]:
        """Return what has not happened yet of all that should, given what the agent was to do."""
        wanted = ["request.received", "handling.registered", "handling.assigned", *(_TOLD[act] for act in agent)]
        mails = [("receipt", "usager"), ("assignment", "service")]
        mails += [("answer", "usager")] if "answer" in agent else []
        mails += [("resolution", "usager")] if "resolve" in agent else []
        if not agent:
            wanted += ["escalation.warned", "escalation.raised"]
            mails += [("warning", "service")]
        found = [action for action in wanted if self.find(action) is None]
        found += [f"mail {kind}" for kind, to in mails if self.find("notification.sent", kind=kind, recipient=to) is None]
        return found if self.counted else [*found, "counted"]

    def lines(self) -> list[str]:
        """Return the path as a person reads it: the town's clock on the left, then what happened."""
        lines = [f"{_clock(fact.at)}  {_words(fact)}" for fact in self.facts if fact.action != "queue.entered"]
        received, mailed = self.find("request.received"), self.find("notification.sent", recipient="service")
        if received and mailed:
            spent = (mailed.written_at - received.written_at).total_seconds() * 1000
            lines.append(f"              accepted → in the service's mailbox: {spent:.0f} ms of real time")
        lines.append(f"              {'counted in the statistics' if self.counted else 'NOT COUNTED'}")
        return lines


def _clock(at: datetime) -> str:
    return f"{at.astimezone(PARIS):%d %b %H:%M}"


def _words(fact: Fact) -> str:
    data = fact.data
    match fact.action:
        case "request.received":
            return f"received by {data['channel']}, asked of {data['service'] or 'nobody in particular'}"
        case "handling.assigned":
            return f"routed to {data['service']}: {data['reason']}"
        case "handling.transferred":
            return f"transferred from {data['from_service']} to {data['service']}"
        case "notification.sent" | "notification.failed":
            outcome = "mailed" if fact.action.endswith("sent") else "NOT MAILED"
            return f"{outcome}: {data['kind']} to the {data['recipient']} {data['service'] or ''}".rstrip()
        case "handling.taken_in_charge":
            hours = data["elapsed_working_seconds"] / 3600
            return f"taken in charge by {data['service']} after {hours:.1f} working hours"
        case "escalation.raised":
            return f"escalated, level {data['level']}: {data['tell']} told"
        case "handling.command_refused":
            return f"refused: {data['action']} ({data['why']})"
        case _:
            return fact.action.split(".", 1)[1].replace("_", " ")


async def read_paths(admin_dsn: str) -> dict[str, Path]:
    """Return the path of every request, by reference."""
    database = await asyncpg.connect(admin_dsn)
    paths: dict[UUID, Path] = {}
    references: dict[UUID, str] = {}
    try:
        for source in _SOURCES:
            rows = await database.fetch(
                f"SELECT request_id, type, value, created_at FROM {source}.outbox WHERE sequence IS NOT NULL ORDER BY id"  # noqa: S608
            )
            for row in rows:
                action = row["type"].removeprefix("fr.aiguilleur.").rsplit(".", 1)[0]
                fact = Fact(action, msgspec.json.decode(row["value"]), row["created_at"])
                paths.setdefault(row["request_id"], Path(row["request_id"])).facts.append(fact)
                if action == "request.received":
                    references[row["request_id"]] = fact.data["reference"]
        counted = {
            row["request_id"] for row in await database.fetch("SELECT request_id FROM stats.request WHERE state IS NOT NULL")
        }
    finally:
        await database.close()
    for path in paths.values():
        path.counted = path.request_id in counted
        path.facts.sort(key=lambda fact: (fact.at, fact.written_at))
    return {reference: paths[request_id] for request_id, reference in references.items()}
