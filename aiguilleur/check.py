"""`aiguilleur check`: is the configuration of the authorities right?"""

from pathlib import Path
from typing import Annotated

import typer

from aiguilleur.settings import CommandSettings
from aiguilleur.terminal import say
from shared.organisation import check as faults_of
from shared.organisation import load


def check(folder: Annotated[Path | None, typer.Argument(help="default: AIGUILLEUR_ORGANISATION")] = None) -> None:
    """Check the configuration of the authorities. Exit 1 and list each fault with its file and line when there are any.

    Example: aiguilleur check deploy/organisation
    """
    place = folder or CommandSettings().organisation
    faults = faults_of(place)
    for fault in faults:
        say(fault)
    if faults:
        raise typer.Exit(1)
    for code, authority in load(place).authorities.items():
        say(f"{code}: {len(authority.services)} services, {len(authority.categories)} categories: right")
