"""`aiguilleur rebuild`: the states of a service, made anew from the log."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import typer

from aiguilleur.terminal import CommandError, note, progress, say
from aiguilleur.wiring import open_app, require_not_ahead
from shared.delivery.rebuild import CannotRebuild, Outcome, Rebuild

SHOWN = 50


def rebuild(
    service: Annotated[str, typer.Argument(help="intake, router, sla, notifier or stats")],
    check: Annotated[bool, typer.Option("--check", help="compare, change nothing; the service may run")] = False,
    write: Annotated[bool, typer.Option("--write", help="replace the states; the service must be stopped")] = False,
) -> None:
    """Fold the log again and compare the states with the live ones, bit for bit, or put them in their place.

    Requests whose events the log no longer has keep their rows. Exit 1 when --check finds a difference.

    Example: aiguilleur rebuild router --check
    """
    if check == write:
        raise CommandError("say what to do", hint="--check compares, --write replaces")
    outcome = asyncio.run(_run(service, write=write))
    found = f"{outcome.equal} equal, {len(outcome.differences)} different, {outcome.kept} older than the log"
    say(f"{outcome.requests} requests: {found}")
    for one in outcome.differences[:SHOWN]:
        say(f"  {one.request_id}: {', '.join(one.parts)}")
    if len(outcome.differences) > SHOWN:
        say(f"  ... and {len(outcome.differences) - SHOWN} more")
    if write:
        say("the states are those of the log now")
    elif outcome.differences:
        note("stop the service and run the same with --write, or ask whoever changed `evolve`")
        raise typer.Exit(1)


async def _run(service: str, *, write: bool) -> Outcome:
    told: dict[str, Callable[[int, int], None]] = {}

    def tell(what: str, done: int, all_: int) -> None:
        told.setdefault(what, progress(what))(done, all_)

    async with open_app(service) as app:
        await require_not_ahead(app)
        work = Rebuild[Any](app.shell, app.settings.kafka, tell)
        try:
            return await (work.write() if write else work.check())
        except CannotRebuild as error:
            raise CommandError(str(error), hint="nothing was changed") from None
