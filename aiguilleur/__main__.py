"""The command line: one command per noun, each in its own file."""

import sys
from typing import NoReturn

import asyncpg
import typer
from aiokafka.errors import KafkaError

from aiguilleur.check import check
from aiguilleur.database import migrate
from aiguilleur.erase import erase
from aiguilleur.events import events
from aiguilleur.keys import keys
from aiguilleur.parked import parked
from aiguilleur.rebuild import rebuild
from aiguilleur.reconcile import reconcile
from aiguilleur.republish import republish, rewind
from aiguilleur.serve import serve
from aiguilleur.status import status
from aiguilleur.terminal import CommandError, note
from aiguilleur.topics import topics
from shared import log
from shared.delivery.errors import Unavailable
from shared.organisation import ConfigurationError

app = typer.Typer(
    name="aiguilleur",
    help=(
        "Run an installation of Aiguilleur.\n\n"
        "A new one: `aiguilleur keys new`, `aiguilleur check`, `aiguilleur migrate`, `aiguilleur topics`, `aiguilleur serve`.\n\n"
        "A running one: `aiguilleur status` says whether all is well, and what to do when it is not."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (check, migrate, topics, serve, status, rebuild, reconcile, republish, rewind, erase, events):
    app.command()(command)
app.add_typer(keys, name="keys")
app.add_typer(parked, name="parked")


def main() -> None:
    """Run a command. What the reader can mend is said in one line with what to do; only a fault of ours is a traceback."""
    log.configure(level="ERROR")
    try:
        app()
    except CommandError as error:
        fail(str(error), error.hint)
    except ConfigurationError as error:
        fail("the configuration has faults", f"aiguilleur check lists them:\n{error}")
    except Unavailable as error:
        fail(str(error), "see whether PostgreSQL runs and the address in the settings is right")
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError) as error:
        fail(f"PostgreSQL refuses: {error}", "compare the address in the settings; `aiguilleur migrate` grants the rights")
    except (asyncpg.UndefinedTableError, asyncpg.InvalidCatalogNameError, asyncpg.InvalidSchemaNameError) as error:
        fail(f"the database is not ready: {error}", "run `aiguilleur migrate` first")
    except asyncpg.PostgresError as error:
        fail(f"PostgreSQL: {type(error).__name__}: {error}", "its log says more")
    except KafkaError as error:
        fail(f"Kafka: {type(error).__name__}", "see whether it runs and AIGUILLEUR_KAFKA is right")
    except OSError as error:
        fail(f"no connection: {error}", "see whether the server runs and the address in the settings is right")


def fail(message: str, hint: str) -> NoReturn:
    """End the command with an error and what to do about it."""
    note(f"error: {message}")
    if hint:
        note(f"       {hint}")
    sys.exit(1)


if __name__ == "__main__":
    main()
