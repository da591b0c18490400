"""`aiguilleur republish` and `aiguilleur rewind`: when the log was lost, or a reader has to look at it again."""

import asyncio
from typing import Annotated
from uuid import UUID

import asyncpg
import typer

from aiguilleur.settings import CommandSettings
from aiguilleur.terminal import CommandError, say
from aiguilleur.wiring import named
from shared.delivery import parking


def republish(
    service: Annotated[str, typer.Argument(help="intake, router, sla or notifier")],
    days: Annotated[int, typer.Option(min=1, max=14, help="how far back; the archive has 14 days")] = 14,
    request: Annotated[UUID | None, typer.Option(help="only the events of this request")] = None,
) -> None:
    """Publish the archived events of a service again, in their order. Readers drop what they know, so it may be repeated.

    The relay of the running service does it. Needed after Kafka's log was lost: readers notice by themselves that it is another
    one, and read it from the beginning. docs/operations/lose-kafka.md says what comes before and after.

    Example: aiguilleur republish intake
    """
    if service == "stats":
        raise CommandError("stats publishes nothing", hint="its numbers are worked out again by `aiguilleur rebuild stats`")
    count = asyncio.run(_republish(named(service), days, request))
    say(f"{count} events of {service} will be published again" + ("" if count else ": nothing is in the archive"))


def rewind(service: Annotated[str, typer.Argument(help="intake, router, sla, notifier or stats")]) -> None:
    """Have a service read its topics from the beginning of the log. It drops what it knows, so it may be repeated.

    Needed after Kafka's log was cut, or its disks were restored from an old copy: the places that the service remembers are then
    beyond its end. Of a log that was lost and made anew services notice it by themselves, by the identity of its topics.

    Example: aiguilleur rewind router
    """
    count = asyncio.run(_rewind(named(service)))
    say(f"{service} will read {count} partitions again")


async def _republish(service: str, days: int, request_id: UUID | None) -> int:
    async with asyncpg.create_pool(CommandSettings().service_dsn(service), min_size=0, max_size=1) as pool:
        return await parking.republish(pool, service, days=days, request_id=request_id)


async def _rewind(service: str) -> int:
    async with asyncpg.create_pool(CommandSettings().service_dsn(service), min_size=0, max_size=1) as pool:
        return await parking.rewind(pool, service)
