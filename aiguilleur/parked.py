"""`aiguilleur parked`: records that a service could not take."""

import asyncio
import json
from typing import Annotated, Any
from uuid import UUID

import typer

from aiguilleur.terminal import CommandError, progress, say, table
from aiguilleur.wiring import open_app, require_not_ahead
from shared.delivery.parking import Choice, Listed, OutOfTurn, Parking, Settled
from shared.delivery.values import RawRecord

parked = typer.Typer(
    help=(
        "Records that a service could not take. They wait with their original bytes until they are replayed or skipped.\n\n"
        "Reasons: undecodable (no event of its topic), poison (the service stumbled over it), refused (it contradicts what is "
        "known), gap (its predecessor is missing), waiting (its predecessor is parked)."
    ),
    no_args_is_help=True,
)
Service = Annotated[str, typer.Argument(help="intake, router, sla, notifier or stats")]
Ids = Annotated[list[int] | None, typer.Argument(help="ids from `parked list`")]
Request = Annotated[UUID | None, typer.Option(help="only those of this request")]
Why = Annotated[str | None, typer.Option(help="only those parked for this reason")]
All = Annotated[bool, typer.Option("--all", help="every open one of the service")]


@parked.command("list")
def list_(service: Service, request: Request = None, why: Why = None) -> None:
    """List what is parked, a request's own in their order.

    Example: aiguilleur parked list router --why poison
    """
    rows = asyncio.run(_list(service, Choice(request_id=request, why=why)))
    if not rows:
        say("nothing is parked")
        return
    say(_table(rows))


@parked.command()
def show(
    service: Service,
    parked_id: Annotated[int, typer.Argument(help="id from `parked list`")],
    reveal: Annotated[bool, typer.Option("--reveal", help="print a value that may hold personal data, kept encrypted")] = False,
) -> None:
    """Show one record: its place in the log, its reason, its headers, its value.

    Example: aiguilleur parked show intake 12
    """
    found, raw = asyncio.run(_find(service, parked_id))
    for name in Listed._fields:
        if (told := getattr(found, name)) is not None:
            say(f"{name:12} {told}")
    say(f"{'key':12} {_readable(raw.key)}")
    for name, value in raw.headers:
        say(f"{'header':12} {name}: {_readable(value)}")
    if found.hidden and not reveal:
        say(f"{'value':12} ({len(raw.value or b'')} bytes that may hold personal data; --reveal prints them)")
    else:
        say(f"{'value':12} {_readable(raw.value)}")


@parked.command()
def replay(service: Service, ids: Ids = None, request: Request = None, why: Why = None, everything: All = False) -> None:
    """Try parked records again, and take what waited for them: the end is the one that would have been.

    First mend what was wrong (a newer version, a configured authority, a missing event), then replay by request or by reason.

    Example: aiguilleur parked replay router --why poison
    """
    _settle(service, _choice(ids, request, why, everything=everything), skip=False)


@parked.command()
def skip(
    service: Service,
    ids: Ids = None,
    request: Request = None,
    why: Why = None,
    everything: All = False,
    missing: Annotated[str | None, typer.Option(help="topic: give up the event that never came (needs --request)")] = None,
) -> None:
    """Pass over parked records for good: their events are not looked at, what waited for them is taken.

    Example: aiguilleur parked skip router 12
    Example: aiguilleur parked skip sla --request 0199... --missing handling.v1
    """
    if missing is not None:
        if request is None:
            raise CommandError("--missing needs --request", hint="name the request whose event never came")
        sequence = asyncio.run(_skip_missing(service, request, missing))
        say(f"event {sequence} of {missing} is given up; what waited for it was taken")
        return
    _settle(service, _choice(ids, request, why, everything=everything), skip=True)


def _choice(ids: list[int] | None, request: UUID | None, why: str | None, *, everything: bool) -> Choice:
    if not (ids or request or why or everything):
        raise CommandError("nothing is chosen", hint="give ids, --request, --why, or --all")
    return Choice(tuple(ids or ()), request, why)


def _settle(service: str, choice: Choice, *, skip: bool) -> None:
    settled = asyncio.run(_run(service, choice, skip=skip))
    say(f"{settled.settled} of {settled.chosen} settled")
    if settled.left:
        say("still parked:")
        say(_table(settled.left))
        raise typer.Exit(1)


async def _run(service: str, choice: Choice, *, skip: bool) -> Settled:
    async with open_app(service) as app:
        await require_not_ahead(app)
        parking = Parking[Any](app.shell)
        return await (parking.skip if skip else parking.replay)(choice, progress("skipped" if skip else "replayed"))


async def _list(service: str, choice: Choice) -> list[Listed]:
    async with open_app(service) as app:
        return await Parking[Any](app.shell).list_open(choice)


async def _find(service: str, parked_id: int) -> tuple[Listed, RawRecord]:
    async with open_app(service) as app:
        found = await Parking[Any](app.shell).find(parked_id)
    if found is None:
        raise CommandError(f"{service} has no parked record {parked_id}", hint=f"aiguilleur parked list {service}")
    return found


async def _skip_missing(service: str, request_id: UUID, topic: str) -> int:
    async with open_app(service) as app:
        await require_not_ahead(app)
        try:
            return await Parking[Any](app.shell).skip_missing(request_id, topic)
        except OutOfTurn as error:
            raise CommandError(str(error), hint=f"aiguilleur parked list {service} --request {request_id}") from None


def _table(rows: list[Listed]) -> str:
    told = []
    for row in rows:
        when = f"{row.parked_at:%Y-%m-%d %H:%M:%S}"
        told.append((row.id, when, row.why, row.error_id, row.request_id or "", row.sequence or "", row.detail))
    return table(("id", "parked at (UTC)", "why", "place in the log", "request", "sequence", "detail"), told)


def _readable(value: bytes | None) -> str:
    """Return bytes on one line that no terminal can mistake for a command."""
    return "(none)" if value is None else json.dumps(value.decode(errors="backslashreplace"), ensure_ascii=False)
