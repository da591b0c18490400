"""`aiguilleur events`: the contracts, generated from the event classes and topic declarations."""

from pathlib import Path
from typing import Annotated

import typer

from aiguilleur.terminal import CommandError, say
from shared.events import contracts
from shared.organisation import write_schema


def events(
    folder: Annotated[Path, typer.Option(help="the checkout's docs")] = Path("docs"),
    check: Annotated[bool, typer.Option("--check", help="write nothing; exit 1 when a contract would break")] = False,
) -> None:
    """Write the JSON Schema of each event, the AsyncAPI document and the schema of the configuration. For developers.

    Adding an optional field keeps the version of an event; anything else is refused here until the type has a new version.

    Example: aiguilleur events
    """
    if not folder.is_dir():
        raise CommandError(f"there is no folder {folder}", hint="run this in a checkout, or give --folder")
    broken = contracts.breaking_changes(contracts.read_schemas(folder / "events"), contracts.schemas())
    if broken:
        raise CommandError(
            "contracts would break:\n" + "\n".join(f"  {line}" for line in broken), hint="give the type a new version"
        )
    if check:
        say("every contract is kept")
        return
    for path in (*contracts.write(folder / "events"), write_schema(folder / "schemas")):
        say(f"wrote {path}")
