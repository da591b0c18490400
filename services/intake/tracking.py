"""A request as its usager reads it: the state with its texts opened, as lines, and the announced delay with what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.intake.domain.request import OPEN, Entry, TrackedRequest, What
from services.intake.store import find_by_token, find_key
from shared.app import App
from shared.events.content import AgentAct, Content, UsagerMessage
from shared.organisation import Authority
from shared.organisation.service import Service
from shared.vault.seal import RequestKey, Vault, opened

Kept = Literal["running", "late", "kept", "broken", "void"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history. `text` is what somebody wrote, None when its key is gone."""

    at: datetime
    what: What
    service: str | None
    note: str | None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """The announced delay: running or late, kept or broken when somebody took the request in charge, void where nobody waits."""

    label: str
    working_seconds: int
    due_at: datetime
    kept: Kept
    taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tracked:
    """What the tracking page and the API show. `content` is None when the key is gone."""

    request_id: UUID
    authority: Authority
    state: TrackedRequest
    content: Content | None
    lines: tuple[Line, ...]
    delay: Delay | None

    @property
    def service(self) -> Service | None:
        """The service in charge; None before anybody has it, and when it is no longer in the configuration."""
        return self.authority.find_service(self.state.owner)


async def find_tracked(app: App[TrackedRequest], vault: Vault, token: str) -> Tracked | None:
    """Return what a token opens; None when it opens nothing. Raises Unavailable."""
    request_id = await find_by_token(app.pool, token)
    state = await app.shell.find_state(request_id) if request_id else None
    if request_id is None or state is None:
        return None
    authority = app.organisation.current.authorities.get(state.authority)
    if authority is None:
        return None
    key = None if state.erased_at else await find_key(app.pool, vault, request_id)
    content = opened(key, request_id, state.sealed, Content)
    lines = _lines(state, key, request_id)
    return Tracked(request_id, authority, state, content, lines, _delay(state, app.clock.now()))


def _lines(state: TrackedRequest, key: RequestKey | None, request_id: UUID) -> tuple[Line, ...]:
    """Return the history without what would be said twice: a message and the router's word that it arrived."""
    mine = {entry.sealed for entry in state.asked}
    lines = []
    for entry in state.history:
        if entry.what == "replied" and (entry.sealed is None or entry.sealed in mine):
            continue
        text = None if entry.what == "reopened" and entry.sealed in mine else _text(entry, key, request_id)
        lines.append(Line(entry.at, entry.what, entry.service, entry.note, text))
    return tuple(lines)


def _text(entry: Entry, key: RequestKey | None, request_id: UUID) -> str | None:
    """Return what somebody wrote, never who of the agents it was."""
    if entry.what in ("added", "reopening_asked", "replied", "reopened"):
        message = opened(key, request_id, entry.sealed, UsagerMessage)
        return message.text if message else None
    if entry.what in ("asked", "answered", "resolved"):
        act = opened(key, request_id, entry.sealed, AgentAct)
        return act.text if act else None
    return None


def _delay(state: TrackedRequest, now: datetime) -> Delay | None:
    promise = state.promise
    if promise is None:
        return None
    kept: Kept
    if state.taken_at is not None:
        kept = "kept" if state.taken_at <= promise.due_at else "broken"
    elif state.status not in OPEN:
        kept = "void"
    else:
        kept = "running" if now <= promise.due_at else "late"
    return Delay(promise.label, promise.working_seconds, promise.due_at, kept, state.taken_at)
