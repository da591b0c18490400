"""A table whose changes PostgreSQL refuses as it does on a full disk (SQLSTATE 53100)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

_FILL: Final = """
    CREATE OR REPLACE FUNCTION public.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER full_disk BEFORE UPDATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION public.full_disk()"""


@asynccontextmanager
async def full_disk(admin_dsn: str, table: str) -> AsyncIterator[None]:
    """Refuse every UPDATE of a table for the time of the block."""
    connection = await asyncpg.connect(admin_dsn)
    try:
        await connection.execute(_FILL.format(table=table))
        yield
    finally:
        await connection.execute(f"DROP TRIGGER IF EXISTS full_disk ON {table}")
        await connection.close()
