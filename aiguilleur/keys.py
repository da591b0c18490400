"""`aiguilleur keys`: secrets for the settings."""

import base64
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from aiguilleur.terminal import CommandError, say
from shared.vault.escrow import EscrowKey

keys = typer.Typer(help="Secrets for the settings.", no_args_is_help=True)


@keys.callback()
def group() -> None:
    """Secrets for the settings."""


@keys.command()
def new() -> None:
    """Print new secrets as lines of an environment file. Keep them safe: without AIGUILLEUR_KEYS nothing can be read again.

    To change the key-encryption key later, put the new one first and keep the old one behind it: AIGUILLEUR_KEYS=2:...,1:...

    Example: aiguilleur keys new >> .env
    """
    say(f"AIGUILLEUR_KEYS=1:{_secret()}")
    say(f"AIGUILLEUR_LINK_KEY={_secret()}")


@keys.command("escrow-new")
def escrow_new(file: Annotated[Path, typer.Argument(help="where the private key goes; must not exist yet")]) -> None:
    """Make a key pair for escrow: the private key goes into a file, to be kept offline; the setting of intake is printed.
    It holds for what is accepted once intake was started with it.

    Whoever holds that file and the log can read what usagers write, as whoever holds a backup and AIGUILLEUR_KEYS can. Make a
    new pair now and then, and destroy the old file when what was written under it has left the log (30 days).

    Example: aiguilleur keys escrow-new escrow.key >> .env
    """
    key = EscrowKey.generate()
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as private:
            private.write(key.text + "\n")
    except FileExistsError:
        raise CommandError(f"{file} exists already", hint="an escrow key that is overwritten opens nothing again") from None
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}", hint="name a file in a folder that is there") from None
    say(f"AIGUILLEUR_ESCROW_PUBLIC_KEY={key.public_text}")


def _secret() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
