"""`aiguilleur erase`: forget a person's data."""

import asyncio
from typing import Annotated

import typer

from aiguilleur.terminal import CommandError, say
from aiguilleur.wiring import open_app, require_not_ahead
from services.intake.domain.refusal import Refused
from services.intake.erase import erase_by_reference


def erase(
    reference: Annotated[str, typer.Argument(help="as the usager gives it: upper or lower case, with or without hyphens")],
    authority: Annotated[str, typer.Option(help="code of the authority")],
) -> None:
    """Destroy the key of a request: what its usager wrote can no longer be read anywhere, in no copy. For good.

    Codes and times stay, so that the statistics still count the request. Needs the settings of intake.

    Example: aiguilleur erase K7M-2Q9-XCD --authority rivemont
    """
    request_id = asyncio.run(_erase(reference, authority))
    say(f"erased: {reference} ({request_id})")


async def _erase(reference: str, authority: str) -> str:
    async with open_app("intake") as app:
        await require_not_ahead(app)
        try:
            return str(await erase_by_reference(app, authority, reference))
        except Refused:
            raise CommandError(
                f"{authority} has no request {reference}",
                hint="compare it with the receipt; --authority takes the authority's code",
            ) from None
