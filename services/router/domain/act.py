"""What an agent, or business software, asks for, and who may ask."""

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from services.router.domain.life import Life, why_not
from shared.events.escalations import Told
from shared.events.handling import Action
from shared.organisation import Authority


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A command. It is never stored: what it leads to is.

    `expected_version` is the version of the request that they were looking at; None when they do not say.
    `mailbox` is the mailbox that the link was sent to; None for business software, which Kafka's access rights admit.
    `target` is the service to transfer to. `by` is who acts; `sealed` is that with their text, which "ask" and "answer"
    need (both AgentAct, under the request's key).
    """

    action: Action
    expected_version: int | None = None
    mailbox: str | None = None
    target: str | None = None
    by: str | None = None
    sealed: str | None = None


def may_act(life: Life, mailbox: str, authority: Authority, now: datetime) -> bool:
    """Tell whether the readers of a mailbox may act on a request at this instant.

    Those of the service that owns it may, always. Its cover, its head and the general management may while the service
    is closed and once the promise is overdue: that is when they are written to. The mailbox of a former owner may not.
    """
    owner = authority.find_service(life.owner) or authority.front_desk_service
    if mailbox == owner.mailbox:
        return True
    if now < life.due_at and authority.is_open(owner.code, now):
        return False
    return any(mailbox == authority.recipient(owner.code, told, at=now) for told in get_args(Told))


def obstacle(life: Life, act: Act, authority: Authority, now: datetime) -> str | None:
    """Return the code of what keeps anybody from doing this now, whatever they would write; None when nothing does."""
    if why := why_not(life.status, act.action):
        return why
    if act.mailbox is not None and not may_act(life, act.mailbox, authority, now):
        return "not_yours"
    if act.expected_version is not None and act.expected_version != life.version:
        return "changed_meanwhile"
    return None
