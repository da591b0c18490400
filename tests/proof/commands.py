"""What business software asked for: of invariant 7, that each command had one effect or one refusal, and no more."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from shared.events.handling import Action
from tests.proof.evidence import Asked, Evidence, History
from tests.proof.lives import IMPLIED, acts_in

ACTIONS: Final[tuple[Action, ...]] = ("take_charge", "ask", "answer", "transfer", "resolve")


def miscounted_commands(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each request and action whose commands, effects and refusals do not add up.

    What a command led to says nothing sealed: it has neither agent nor text. (The agents of a town with business software
    always have.) A refusal does not say whose act it refuses, so there may be more of these.
    """
    wanted = _taken(evidence)
    if not wanted:
        return
    for request_id, life in evidence.told("handling.v1", without=history.aside).items():
        effects = acts_in([one for one in life if one.data.get("sealed") is None], [])
        refused = Counter(one.data["action"] for one in life if one.name == "command_refused")
        yield from _unequal(request_id, wanted.get(request_id, Counter()), effects, refused, evidence, history)
    for request_id in wanted.keys() - evidence.by_topic.get("handling.v1", {}).keys() - history.aside:
        yield f"7 command: {sum(wanted[request_id].values())} were taken for {request_id}, which has no life"


def _unequal(
    request_id: UUID,
    wanted: Counter[str],
    effects: Counter[str],
    refused: Counter[str],
    evidence: Evidence,
    history: History,
) -> Iterable[str]:
    for action in ACTIONS:
        if effects[action] > wanted[action] and evidence.ends:  # else commands of a lost log are not to be seen any more
            yield f"7 command: {request_id} has {action} by software {effects[action]} times, {wanted[action]} were asked for"
        most = effects[action] + (effects[IMPLIED] if action == "take_charge" else 0)
        if wanted[action] - most > refused[action]:
            yield (
                f"7 command: {request_id} had {action} asked for by software {wanted[action]} times, and has "
                f"{effects[action]} effects, {refused[action]} refusals"
            )


def _taken(evidence: Evidence) -> Mapping[UUID, Counter[str]]:
    """Return how often each action was asked for of each request, by commands that the router took, repetitions left out."""
    taken = {(row["source"], row["id"]) for row in evidence.rows["router.inbox"]}
    once: dict[tuple[str, str], Asked] = {(one.source, one.id): one for one in evidence.asked if one.command is not None}
    counts: dict[UUID, Counter[str]] = {}
    for name, one in once.items():
        if name in taken and one.command is not None:
            counts.setdefault(one.command.request_id, Counter())[one.command.action] += 1
    return counts
