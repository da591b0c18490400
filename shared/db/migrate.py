"""Brings the database to the version of this code: schemas, roles, each service's migrations, rights."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
from alembic import command
from alembic.config import Config

from shared.db.rights import create_schemas, grant
from shared.events.topics import SERVICES

_ROOT = Path(__file__).parents[2]
_LOCK = 7_417_003
"""Advisory lock: two migrations at once wait for each other."""


def alembic_config(schema: str, admin_dsn: str) -> Config:
    """Return Alembic's configuration for one schema. Versions live with their owner: services/<name>/migrations."""
    folder = _ROOT / ("shared/vault" if schema == "vault" else f"services/{schema}") / "migrations"
    config = Config()
    config.set_main_option("script_location", str(_ROOT / "shared/db/alembic"))
    config.set_main_option("version_locations", str(folder))
    config.set_main_option("path_separator", "newline")
    config.attributes["schema"] = schema
    config.attributes["dsn"] = admin_dsn
    return config


async def migrate(admin_dsn: str, service_dsns: dict[str, str], tell: Callable[[str], None]) -> None:
    """Migrate everything. `service_dsns` gives each role's password; `tell` hears of each step.

    Raises:
        ValueError: a service's address has no password.
    """
    passwords = {service: unquote(urlsplit(service_dsns[service]).password or "") for service in SERVICES}
    if missing := [service for service, password in passwords.items() if not password]:
        raise ValueError(f"no password in the database address of: {', '.join(missing)}")
    connection = await asyncpg.connect(admin_dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await create_schemas(connection, passwords)
        for schema in ("vault", *SERVICES):
            await asyncio.to_thread(command.upgrade, alembic_config(schema, admin_dsn), "head")
            tell(f"schema {schema}: up to date")
        await grant(connection)
        tell("rights: granted")
    finally:
        await connection.close()
