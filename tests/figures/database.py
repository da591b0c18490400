"""A migrated database for a figure."""

import secrets

from shared.db.migrate import migrate
from shared.db.rights import role_of
from shared.events.topics import SERVICES

_PASSWORD = secrets.token_hex(8)


async def migrated(admin_dsn: str) -> dict[str, str]:
    """Migrate an empty database; return the address of each service's own role. Databases of one server share the roles."""
    place = admin_dsn.rpartition("@")[2]
    dsns = {service: f"postgresql://{role_of(service)}:{_PASSWORD}@{place}" for service in SERVICES}
    await migrate(admin_dsn, dsns, lambda _: None)
    return dsns
