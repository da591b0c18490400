"""The frame of a service: its port, its health pages, what it tells when its consumer has stopped itself."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import asyncpg
import httpx
import pytest

from aiguilleur.status import ServiceStatus, _read_tables
from deploy.local.ports import free_port
from services.router.app import build
from services.router.settings import RouterSettings
from shared.db.pool import open_pool
from shared.delivery.gate import AHEAD
from shared.delivery.tables import create_v1
from shared.organisation import Authority
from tests.delivery.conftest import ORGANISATION

pytestmark = pytest.mark.integration
_LINK_KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="


def told(database: str, port: int) -> dict[str, str]:
    """The environment of a router."""
    return {
        "AIGUILLEUR_KAFKA": "127.0.0.1:1",
        "AIGUILLEUR_ORGANISATION": str(ORGANISATION),
        "AIGUILLEUR_ROUTER_DATABASE": database,
        "AIGUILLEUR_ROUTER_PORT": str(port),
        "AIGUILLEUR_KEYS": f"1:{_LINK_KEY}",
        "AIGUILLEUR_LINK_KEY": _LINK_KEY,
    }


async def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.router",
            env=os.environ | told("postgresql://nobody:x@127.0.0.1:1/none", port),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=Path(__file__).parents[2],
        )
        output, _ = await asyncio.wait_for(process.communicate(), 30)

    lines = [line for line in output.decode().splitlines() if not line.startswith("{")]
    assert lines == [
        f"router: port {port} of 127.0.0.1 is taken: set AIGUILLEUR_ROUTER_PORT to another one, or stop what listens there"
    ]
    assert process.returncode == 2


async def test_a_consumer_that_stopped_itself_takes_no_page_away(database: str, authority: Authority) -> None:
    port = free_port()
    environment = {
        name.removeprefix("AIGUILLEUR_").removeprefix("ROUTER_").lower(): v for name, v in told(database, port).items()
    }
    app = await build(RouterSettings(**environment))  # type: ignore[arg-type]  # as the environment has them
    await app.pool.execute("CREATE SCHEMA router")
    for statement in create_v1("router", ("requests.v1",), ("handling.v1", "queues.v1")):
        await app.pool.execute(statement)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.http), base_url="http://router") as http:
        well = await http.get("/ready")
        app.consumer.halted = "101 records would be parked within a minute"
        app.relay.last_error = "KafkaConnectionError"
        halted = await http.get("/ready")
        app.shell.gate._shut(AHEAD)
        app.relay.last_error = AHEAD
        ahead = await http.get("/ready")
    await app.shell.positions.tell_halted("0", app.consumer.halted)
    status = ServiceStatus("router")
    connection = await asyncpg.connect(database)
    await _read_tables(connection, status)
    await connection.close()
    app.pool.terminate()

    assert (well.status_code, well.text) == (200, "ok\n")
    assert halted.status_code == 200
    assert "the consumer stopped itself: 101 records" in halted.text
    assert "KafkaConnectionError" in halted.text
    assert (ahead.status_code, ahead.text.count(AHEAD)) == (200, 1)
    assert "replica 0 takes no records any more: 101 records" in status.wrong[0]


async def test_the_database_frees_the_locks_of_a_node_that_vanished(database: str) -> None:
    pool = await open_pool(database, name="test")
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
    idle, interval, count = [int(await pool.fetchval(f"SHOW {name}")) for name in names]
    pool.terminate()

    assert idle + interval * count < 30
