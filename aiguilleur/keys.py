"""`aiguilleur keys`: secrets for the settings."""

import base64
import secrets

import typer

from aiguilleur.terminal import say

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


def _secret() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
