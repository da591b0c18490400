"""`aiguilleur migrate`: bring the database to the version of this code."""

import asyncio

from aiguilleur.settings import CommandSettings
from aiguilleur.terminal import say


def migrate() -> None:
    """Create or update schemas, roles, tables and rights. Safe to repeat; two at once wait for each other.

    Needs AIGUILLEUR_ADMIN_DATABASE (a role that may create schemas and roles) and the five AIGUILLEUR_<SERVICE>_DATABASE,
    whose passwords the services' roles get.

    Example: aiguilleur migrate
    """
    from shared.db.migrate import migrate as bring_up_to_date  # only now: Alembic is half of what a command would import

    settings = CommandSettings()
    asyncio.run(bring_up_to_date(settings.admin_dsn(), settings.service_dsns(), say))
