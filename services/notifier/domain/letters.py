"""Which letters a fact makes, under which names. The names are stable: the same fact always gives the same letter."""

from typing import Any, TypeAlias

from msgspec.structs import replace

from services.notifier.domain.correspondence import Letter
from shared.events import escalations, handling, requests

Letters: TypeAlias = dict[str, Letter]


def letters_of(event: Any, owner: str | None) -> Letters:
    """Return the letters that a fact makes, by name. `owner` is who owns the request after it, or owned it last.

    To the service: that it has the request (again), what the usager adds, that they withdraw, that a delay runs out.
    To its cover and superiors: that it ran out. To the usager: that the request came in, where it went, and what agents say.
    """
    match event:
        case requests.RequestReceived():
            return {"receipt": Letter("receipt", "usager", event.at)}
        case handling.LifeEvent():
            return _of_life(event, owner)
        case escalations.PromiseWarned():
            letter = Letter("warning", "service", event.at, event.service, promise=event.promise, due_at=event.due_at)
            return {f"warning.{event.promise}": letter}
        case escalations.EscalationRaised():
            letter = Letter("escalation", event.tell, event.at, event.service, promise=event.promise, due_at=event.due_at)
            return {f"escalation.{event.promise}.{event.level}": replace(letter, level=event.level)}
        case _:
            return {}


def _of_life(event: handling.LifeEvent, owner: str | None) -> Letters:
    version, at = event.version, event.at
    match event:
        case handling.RequestAssigned():
            letter = Letter("assignment", "service", at, owner, event.reason, asked_service=event.asked_service)
            return {f"assignment.{version}": letter}
        case handling.RequestTransferred():
            return _of_transfer(event)
        case handling.RequestReopened():
            return {f"assignment.{version}": Letter("assignment", "service", at, owner, "reopened", sealed=event.sealed)}
        case handling.UsagerReplied():
            return {f"usager_message.{version}": Letter("usager_message", "service", at, owner, sealed=event.sealed)}
        case handling.RequestWithdrawn():
            return {f"withdrawal.{version}": Letter("withdrawal", "service", at, owner)}
        case handling.UsagerAsked():
            return {f"question.{version}": Letter("question", "usager", at, owner, sealed=event.sealed)}
        case handling.RequestAnswered():
            return {f"answer.{version}": Letter("answer", "usager", at, owner, sealed=event.sealed)}
        case handling.RequestResolved():
            return {f"resolution.{version}": Letter("resolution", "usager", at, owner, sealed=event.sealed)}
        case _:
            return {}


def _of_transfer(event: handling.RequestTransferred) -> Letters:
    """The new service gets the request, with the word of the agent who sent it on; the usager is told who has it now."""
    notice = Letter("transfer_notice", "usager", event.at, event.service, event.reason, from_service=event.from_service)
    return {
        f"assignment.{event.version}": replace(notice, kind="assignment", recipient="service", sealed=event.sealed),
        f"transfer_notice.{event.version}": notice,
    }
