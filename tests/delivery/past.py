"""A database that can be put back to an earlier moment, as a restore does."""

from asyncpg import Pool

_TABLES = ("request", "outbox", "position", "parked", "inbox", "heard")


async def remember(pool: Pool) -> None:
    """Keep what the sample service's tables hold now."""
    await pool.execute("CREATE SCHEMA past")
    for table in _TABLES:
        await pool.execute(f"CREATE TABLE past.{table} AS TABLE notifier.{table}")


async def restore(pool: Pool) -> None:
    """Forget all that was written since."""
    for table in _TABLES:
        await pool.execute(f"DELETE FROM notifier.{table}")
        await pool.execute(f"INSERT INTO notifier.{table} OVERRIDING SYSTEM VALUE SELECT * FROM past.{table}")
    for table in ("outbox", "parked"):  # what is counted goes on where it was
        last = f"coalesce((SELECT max(id) FROM notifier.{table}), 0) + 1"
        await pool.execute(f"SELECT setval(pg_get_serial_sequence('notifier.{table}', 'id'), {last}, false)")
