"""What the router refused: of invariant 2, that the state, the version, the owner or the target explains each refusal."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args
from uuid import UUID

from shared.events.escalations import Told
from shared.organisation import Authority
from tests.judge.evidence import SOFTWARE, Act, Evidence, History, Record
from tests.judge.paths import PATHS

_OF_USAGERS: Final = frozenset({"add", "withdraw", "reopen"})
_BY_WHO: Final = frozenset({"not_yours", "no_text", "unknown_service", "already_there", "closed_service"})
"""Why an act that the state allows may be refused, depending on whose it is and where it leads."""


@dataclass(frozen=True)
class _Refusal:
    """A refusal, and how its request was just then. `authorities`: the configurations that may have been in force."""

    told: Record
    status: str
    owner: str | None
    due_at: datetime
    authorities: Sequence[Authority]

    @property
    def name(self) -> tuple[str, str, int | None]:
        """What was to be done, why it was not, and the version that whoever asked had seen."""
        return self.told.data["action"], self.told.data["why"], self.told.data["since"]

    @property
    def is_explained(self) -> bool | None:
        """Whether the life explains it, or cannot; None: that depends on who asked, and for what."""
        what, why, since = self.name
        if what not in PATHS.get(self.status, {}):
            return bool(why == self.status or why.startswith("already_"))
        if why == "changed_meanwhile":
            return since is not None and since != self.told.data["version"]
        return None if why in _BY_WHO and what not in _OF_USAGERS else False

    def may_answer(self, act: Act) -> bool:
        """Whether it may be what became of an act. Of whom nothing is known anything may be."""
        what, why, since = self.name
        if act.what != what or act.outcome == "done":
            return False
        return act.mailbox is None or (act.version == since and act.why in ("", why))

    def is_explained_by(self, act: Act) -> bool:
        """Whether an act of this kind is rightly refused, by what the checker knows of it."""
        at = self.told.instant()
        if act.mailbox is None:
            return True
        match self.told.data["why"]:
            case "not_yours":
                return act.mailbox != SOFTWARE and not all(self._may(act.mailbox, one, at) for one in self.authorities)
            case "no_text":
                return act.mailbox == SOFTWARE and act.what in ("ask", "answer")
            case "unknown_service":
                return act.target is None or not all(one.find_service(act.target) for one in self.authorities)
            case "already_there":
                return act.target in (None, self.owner)
            case "closed_service":
                return act.target is None or any(_is_closed(act.target, one, at) for one in self.authorities)
            case _:
                return False

    def _may(self, mailbox: str, authority: Authority, at: datetime) -> bool:
        """Who owns it may act; whoever stands above or in for the owner may, when that is closed or late."""
        owner = authority.find_service(self.owner) or authority.front_desk_service
        others = {authority.recipient(owner.code, told, at=at) for told in get_args(Told)}
        late = at >= self.due_at or not authority.is_open(owner.code, at)
        return mailbox == owner.mailbox or (late and mailbox in others)


def _is_closed(service: str, authority: Authority, at: datetime) -> bool:
    return authority.find_service(service) is not None and not authority.is_open(service, at)


def unexplained_refusals(evidence: Evidence, history: History) -> Iterable[str]:
    """Return each refusal that nothing explains, each that nobody asked for, each that was told otherwise.

    Where it is not known which mailboxes acted, only what the life explains or cannot explain is looked at.
    """
    knows_who = any(act.mailbox is not None for act in history.acts or ())
    received = evidence.received(without=history.forged)
    acts: dict[UUID, list[Act]] = defaultdict(list)
    for act in history.acts or ():
        if act.outcome != "done":
            acts[act.request_id].append(act)
    for request_id, life in evidence.told("handling.v1", without=history.forged).items():
        if request_id not in received:
            continue
        refusals = list(_refusals(life, received[request_id], evidence))
        for one in refusals:
            is_explained = one.is_explained
            if is_explained is None and knows_who:
                is_explained = any(one.is_explained_by(act) for act in acts[request_id] if one.may_answer(act))
            if is_explained is False:
                yield f"2 refused: {_said(one)}"
        if knows_who:
            yield from _mistold(request_id, refusals, acts[request_id])


def _refusals(life: list[Record], received: Record, evidence: Evidence) -> Iterable[_Refusal]:
    authorities = evidence.authorities.get(received.data["authority"], ())
    status, owner, due_at = "registered", None, received.instant_of("promise", "due_at")
    for one in life:
        if one.name == "command_refused":
            yield _Refusal(one, status, owner, due_at, authorities)
        else:
            status, owner = one.data["status"], one.data["service"]


def _mistold(request_id: UUID, refusals: list[_Refusal], acts: list[Act]) -> Iterable[str]:
    """Each refusal that was told is in the log, once, and no more are there than were asked for."""
    said: Counter[tuple[str, str, int | None]] = Counter((act.what, act.why, act.version) for act in acts if act.why)
    found = Counter(one.name for one in refusals)
    for (what, why, version), count in (said - found).items():
        yield f"2 refused: {request_id}: {what} by version {version} was told {why} {count} times more than it was refused"
    for act in acts:
        mine = [one for one in refusals if one.name == (act.what, act.why, act.version) and one.is_explained is None]
        if mine and not any(one.is_explained_by(act) for one in mine):
            yield f"2 refused: {_said(mine[0])}: it was {act.mailbox} who wanted it, target {act.target}"
    if any(act.mailbox is None and act.what not in _OF_USAGERS for act in acts):
        return
    asked: Counter[tuple[str, int | None]] = Counter((act.what, act.version) for act in acts)
    for (action, seen), count in Counter((one.name[0], one.name[2]) for one in refusals).items():
        if action not in _OF_USAGERS and count > (most := asked[action, seen]):
            yield f"2 refused: {request_id}: {action} by version {seen} {count} times, which {most} can have asked for"


def _said(one: _Refusal) -> str:
    what, why, since = one.name
    data = one.told.data
    return (
        f"{one.told.request_id}: {what} by version {since} was refused as {why} at {data['at']}, "
        f"at version {data['version']}, when it was {one.status} and owned by {one.owner}"
    )
