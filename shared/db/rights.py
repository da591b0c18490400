"""Who may do what in the database, declared once. `aiguilleur migrate` grants it, the tests check it verb by verb."""

import asyncpg

from shared.events.topics import SERVICES

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")

VAULT_RIGHTS: dict[str, tuple[str, ...]] = {
    "intake": ("SELECT", "INSERT", "DELETE"),
    "router": ("SELECT",),
    "notifier": ("SELECT",),
    "sla": (),
    "stats": (),
}
"""On vault.request_key: intake writes and destroys keys, router and notifier open; sla and stats cannot read them."""


def role_of(service: str) -> str:
    """Return the database role that a service logs in as."""
    return f"aiguilleur_{service}"


def rights_on(schema: str, service: str) -> tuple[str, ...]:
    """Return the verbs that a service's role has on the tables of a schema."""
    if schema == "vault":
        return VAULT_RIGHTS[service]
    return VERBS if schema == service else ()


async def create_schemas(connection: asyncpg.Connection, passwords: dict[str, str]) -> None:
    """Create the schemas, and a login role per service with its password (changed if it exists). Needs an admin."""
    for service in SERVICES:
        role = role_of(service)
        exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
        password = await connection.fetchval("SELECT quote_literal($1::text)", passwords[service])
        verb = "ALTER" if exists else "CREATE"
        await connection.execute(f"{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {password}")
    for schema in (*SERVICES, "vault"):
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")


async def grant(connection: asyncpg.Connection) -> None:
    """Grant each role its verbs on the tables that exist, and take away every other."""
    for schema in (*SERVICES, "vault"):
        for service in SERVICES:
            role, verbs = role_of(service), rights_on(schema, service)
            await connection.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}")
            await connection.execute(f"REVOKE ALL ON SCHEMA {schema} FROM {role}")
            if verbs:
                await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
                await connection.execute(f"GRANT {', '.join(verbs)} ON ALL TABLES IN SCHEMA {schema} TO {role}")
            if schema == service:
                await connection.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}")
                await connection.execute(f"REVOKE INSERT, UPDATE, DELETE ON {schema}.alembic_version FROM {role}")
