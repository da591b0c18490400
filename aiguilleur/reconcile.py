"""`aiguilleur reconcile`: bring a database that was restored to an earlier time up to the log."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from aiguilleur.terminal import CommandError, note, progress, say
from aiguilleur.wiring import open_app
from services.intake.escrow import Missing, find_missing_keys, make_new_keys, restore_keys
from shared.app import App
from shared.delivery.rebuild import CannotRebuild
from shared.delivery.reconcile import Reconciled, Reconciliation
from shared.events.requests import RequestErased
from shared.events.topics import SERVICES
from shared.vault.escrow import EscrowKey
from shared.vault.keys import DELETE_KEYS

SHOWN = 100


@dataclass
class Outcome:
    """What was done for all of them."""

    services: dict[str, Reconciled] = field(default_factory=dict)
    erased: int = 0
    restored: int = 0
    unreadable: list[Missing] = field(default_factory=list)
    given_up: bool = False


def reconcile(
    escrow_key: Annotated[
        list[Path] | None, typer.Option(help="file of `aiguilleur keys escrow-new`; may be given several times")
    ] = None,
    new_keys: Annotated[
        bool, typer.Option("--new-keys", help="give up the contents that nothing brings back; agents can go on with the requests")
    ] = False,
) -> None:
    """Take over from the log what a restored database forgot: needed when `aiguilleur status` says that it is older than the log.

    All services must be stopped. What they told since is adopted as it was told: nothing is decided, published or mailed
    again. Requests that were erased are erased again. It may be repeated: then it finds nothing more to do, but keys in
    escrow when they are given. docs/operations/restore-postgresql.md says what comes before and after.

    Example: aiguilleur reconcile --escrow-key escrow.key
    """
    _say(asyncio.run(_run([_read(file) for file in escrow_key or ()], give_up=new_keys)))


def _read(file: Path) -> EscrowKey:
    try:
        return EscrowKey.from_text(file.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"{file}: {error}", hint="give the file that `aiguilleur keys escrow-new` wrote") from None


async def _run(keys: Sequence[EscrowKey], *, give_up: bool) -> Outcome:
    outcome = Outcome(given_up=give_up)
    tell = _teller()
    async with AsyncExitStack() as stack:
        apps = {service: await stack.enter_async_context(open_app(service)) for service in SERVICES}
        try:
            outcome.erased, outcome.services = await _adopt(apps, tell)
        except CannotRebuild as error:
            raise CommandError(str(error), hint="nothing was changed") from None
        intake = apps["intake"]
        assert intake.vault is not None, "intake's settings have the keys"
        async with intake.pool.acquire() as connection, connection.transaction():
            missing = await find_missing_keys(connection)
            outcome.unreadable = await restore_keys(connection, intake.vault, missing, keys)
            if give_up:
                await make_new_keys(connection, intake.vault, outcome.unreadable)
        outcome.restored = len(missing) - len(outcome.unreadable)
    return outcome


async def _adopt(apps: dict[str, App[Any]], tell: Callable[[str, int, int], None]) -> tuple[int, dict[str, Reconciled]]:
    """Reconcile all services, in a transaction each, all held until the last is ready; erased keys go before anything else."""
    works: dict[str, Reconciliation[Any]] = {}
    async with AsyncExitStack() as stack:
        for service, app in apps.items():
            connection = await stack.enter_async_context(app.pool.acquire())
            await stack.enter_async_context(connection.transaction())
            works[service] = Reconciliation(app.shell, app.settings.kafka, connection, tell)
            await works[service].find()
        lost = works["intake"].lost
        erased = [name.request_id for name, one in lost.events.items() if isinstance(one.event, RequestErased)]
        await apps["intake"].pool.execute(DELETE_KEYS, erased)
        found = {service: await work.adopt() for service, work in works.items()}
        if any(one.events for one in found.values()):
            for service, work in works.items():
                found[service].moved = await work.move_open()
    return len(erased), found


def _teller() -> Callable[[str, int, int], None]:
    told: dict[str, Callable[[int, int], None]] = {}

    def tell(what: str, done: int, all_: int) -> None:
        told.setdefault(what, progress(what))(done, all_)

    return tell


def _say(outcome: Outcome) -> None:
    for service, one in outcome.services.items():
        say(f"{service}: {one.events} events of {one.requests} requests adopted from the log")
        if one.published:
            say(f"  {one.published} that waited to be published are in the log already")
        if one.skipped:
            say(f"  {one.skipped} events of others had been passed over by an operator: noted as skipped again")
        for moved in one.moved:
            say(f"  {moved.place[0]}/{moved.place[1]} goes on at {moved.position}, {moved.left} records wait there")
    if not any(one.events for one in outcome.services.values()):
        say("the database knows all that the log holds")
    else:
        _say_unknown(outcome)
    if outcome.erased:
        say(f"{outcome.erased} requests that were erased are erased again")
    if outcome.restored:
        say(f"{outcome.restored} keys were given back by escrow")
    if outcome.unreadable:
        _say_unreadable(outcome)


def _say_unknown(outcome: Outcome) -> None:
    """Say what no log can know: what was committed and not published yet when the database was lost.

    Each service publishes by itself: where the log ends for who asks whether a request is in it, intake's events say alone.
    """
    intake = outcome.services["intake"]
    end = intake.until or intake.since
    begins = [one.since for one in outcome.services.values() if one.since is not None]
    if begins:
        say(f"the database knew all until {min(begins):%Y-%m-%d %H:%M:%S} UTC")
    say(f"the log ends at {end:%Y-%m-%d %H:%M:%S} UTC" if end else "the log ends before the first request")
    note("what was accepted from then on until the loss is in no log: see the web server's log, from some seconds before")


def _say_unreadable(outcome: Outcome) -> None:
    say(f"{len(outcome.unreadable)} requests cannot be read any more: their keys were lost with the database")
    for one in outcome.unreadable[:SHOWN]:
        say(f"  {one.authority} {one.reference} ({one.request_id})")
    if len(outcome.unreadable) > SHOWN:
        say(f"  ... and {len(outcome.unreadable) - SHOWN} more")
    if outcome.given_up:
        say("they have new keys: their services, which were mailed the contents, can go on with them")
    else:
        note("if escrow was on, give --escrow-key FILE; else --new-keys lets their services go on with what they were mailed")
