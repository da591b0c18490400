"""A copy of a PostgreSQL that goes on being written to, as an operator takes it, and its return."""

import shutil
import subprocess
from pathlib import Path

import asyncpg

from deploy.local import postgres_binaries
from deploy.local.postgres import PostgresServer


def back_up(server: PostgresServer, copy: Path) -> None:
    """Take a base backup of the running server: it is the state at one instant, while everybody goes on writing.

    What was copied is not waited for until it is on the disk: this machine stays up.
    """
    program = postgres_binaries.find(reachable_by_all=False) / "pg_basebackup"
    options = ["--checkpoint=fast", "--wal-method=fetch", "--no-sync"]
    subprocess.run([program, "-d", server.dsn, "-D", copy, *options], check=True)


async def find_data(server: PostgresServer) -> Path:
    """Return where the running server keeps its data."""
    database = await asyncpg.connect(server.dsn)
    try:
        return Path(await database.fetchval("SHOW data_directory"))
    finally:
        await database.close()


def put_back(server: PostgresServer, copy: Path, data: Path) -> None:
    """Start the ended server on the copy, in the place of all that it had."""
    subprocess.run(["chown", "-R", f"--reference={data}", copy], check=True)
    shutil.rmtree(data)
    shutil.move(copy, data)
    server.restart()
