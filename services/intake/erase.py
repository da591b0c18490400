"""Forgetting: the key of a request is destroyed, and with it everything sealed under it, wherever a copy lies."""

from datetime import datetime
from uuid import UUID

from services.intake.domain.command import Erase
from services.intake.domain.refusal import Refused
from services.intake.domain.request import TrackedRequest
from services.intake.reference import parse_reference
from services.intake.store import DELETE_KEY, find_by_reference
from shared.app import App
from shared.delivery.points import reach
from shared.delivery.values import Input


def erasing(request_id: UUID, authority: str, *, closed_at: datetime | None = None) -> Input:
    """Return what destroys the key and tells everybody, in one transaction. Doing it again changes nothing.

    With `closed_at` it is for a request that has been closed since then, and refused when that is true no more.
    """
    return Input(request_id, authority, Erase(closed_at), rows=((DELETE_KEY, (request_id,)),))


async def erase(app: App[TrackedRequest], request_id: UUID, *, authority: str) -> None:
    """Destroy the key and tell everybody, because the usager wants it.

    Raises:
        Refused: there is no such request.
        Unavailable: PostgreSQL does not answer; nothing, or all of it, was done: do it again.
    """
    reach("erase.before")
    (result,) = await app.shell.run(
        [erasing(request_id, authority)], lane="local"
    )  # not `apply`: the command line runs no server
    reach("erase.after")
    if result.error is not None:
        raise result.error
    app.log.info("request.erased", request_id=request_id, authority=authority)


async def erase_by_reference(app: App[TrackedRequest], authority: str, reference: str) -> UUID:
    """Erase the request of a reference, typed as one likes, and return its id. Raises as `erase`."""
    shown = parse_reference(reference)
    request_id = await find_by_reference(app.pool, authority, shown) if shown else None
    if request_id is None:
        raise Refused("unknown")
    await erase(app, request_id, authority=authority)
    return request_id
