"""What business software asked for: of invariant 7, that each command that may be asked had one effect or one refusal."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from shared.events.handling import Action
from tests.judge.evidence import SOFTWARE, Asked, Evidence, History
from tests.judge.lives import IMPLIED, acts_in

ACTIONS: Final[tuple[Action, ...]] = ("take_charge", "ask", "answer", "transfer", "resolve")


def miscounted_commands(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each request and action whose commands, effects and refusals do not add up.

    What a command led to says nothing sealed: it has neither agent nor text. (The agents of a town with business software
    always have.) A refusal does not say whose act it refuses: those that agents were told of are theirs, and there may be more.
    """
    wanted = _taken(evidence)
    if not wanted:
        return
    by_agents = Counter((act.request_id, act.what) for act in history.acts or () if act.why and act.mailbox != SOFTWARE)
    for request_id, life in evidence.told("handling.v1", without=history.forged).items():
        effects = acts_in([one for one in life if one.data.get("sealed") is None], [])
        refused = Counter(one.data["action"] for one in life if one.name == "command_refused")
        refused.subtract({action: by_agents[request_id, action] for action in ACTIONS})
        yield from _unequal(request_id, wanted.get(request_id, Counter()), effects, refused)
    for request_id in wanted.keys() - evidence.by_topic.get("handling.v1", {}).keys() - history.forged:
        yield f"7 command: {sum(wanted[request_id].values())} were taken for {request_id}, which has no life"


def _unequal(request_id: UUID, wanted: Counter[str], effects: Counter[str], refused: Counter[str]) -> Iterable[str]:
    for action in ACTIONS:
        if effects[action] > wanted[action]:
            yield f"7 command: {request_id} has {action} by software {effects[action]} times, {wanted[action]} were asked for"
        most = effects[action] + (effects[IMPLIED] if action == "take_charge" else 0)
        if wanted[action] - most > refused[action]:
            yield (
                f"7 command: {request_id} had {action} asked for by software {wanted[action]} times, and has "
                f"{effects[action]} effects, {refused[action]} refusals"
            )


def wrongly_refused(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each command that was parked though it was for a request of its authority that the router knew by then."""
    tickets = _tickets(evidence)
    known_since = {
        row["request_id"]: row["created_at"] for row in evidence.rows["router.outbox"] if row["type"].endswith("registered.v1")
    }
    owners = {one: told[0].data["authority"] for one, told in evidence.by_topic.get("requests.v1", {}).items()}
    parked = {(row["topic"], row["partition"], row["offset"]): row for row in evidence.rows["router.parked"]}
    for one in evidence.asked:
        row = parked.get((one.topic, one.partition, one.offset))
        if row is None or one.command is None or (one.source, one.id) in tickets or one.command.request_id in history.forged:
            continue  # what is neither parked nor taken: see consumption
        about = one.command
        if owners.get(about.request_id) != about.authority or about.request_id not in known_since:
            continue
        if row["parked_at"] > known_since[about.request_id]:
            yield (
                f"7 refused: {one.source} {one.id} wants to {about.action} {about.request_id}, which is of its authority; "
                f"it was parked as {row['why']}, and nothing was wrong with it"
            )


def _tickets(evidence: Evidence) -> set[tuple[str, str]]:
    return {(row["source"], row["id"]) for row in evidence.rows["router.inbox"]}


def _taken(evidence: Evidence) -> Mapping[UUID, Counter[str]]:
    """Return how often each action was asked for of each request, by commands that the router took, repetitions left out."""
    taken = _tickets(evidence)
    everything = evidence.asked_before + evidence.asked
    once: dict[tuple[str, str], Asked] = {(one.source, one.id): one for one in everything if one.command is not None}
    counts: dict[UUID, Counter[str]] = {}
    for name, one in once.items():
        if name in taken and one.command is not None:
            counts.setdefault(one.command.request_id, Counter())[one.command.action] += 1
    return counts
