"""What the image holds is enough to migrate and to serve, and writes nothing beside it: its root may be read-only."""

import asyncio
import base64
import secrets
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from deploy.local import ports
from deploy.local.town import ORGANISATION
from shared.db.rights import role_of
from shared.events.topics import SERVICES
from tests.architecture.image import environment, unpack
from tests.architecture.test_image import BLOCKER, only_for_development

pytestmark = [pytest.mark.integration, pytest.mark.slow]
READY_SECONDS = 40


async def test_it_migrates_and_serves_and_writes_nothing(database: str, tmp_path: Path) -> None:
    app, home = unpack(tmp_path / "app"), tmp_path / "home"
    home.mkdir()
    before = written(app)
    told = environment() | settings(database) | {"HOME": str(home), "TMPDIR": str(home), "PATH": "/usr/bin:/bin"}

    migrating = start(app, told, "aiguilleur", "migrate")
    output, _ = await asyncio.to_thread(migrating.communicate, timeout=60)
    assert migrating.returncode == 0, output

    serving = start(app, told, "services")  # all five in one process: the same code, and one start to wait for
    try:
        for service in SERVICES:
            await until_ready(f"http://127.0.0.1:{told[f'AIGUILLEUR_{service.upper()}_PORT']}/ready", serving)
    finally:
        serving.terminate()
        output, _ = await asyncio.to_thread(serving.communicate, timeout=30)
    assert serving.returncode == 0, output
    assert written(app) == before
    assert not list(home.iterdir()), "something was written, outside the database"


def start(folder: Path, told: dict[str, str], *command: str) -> subprocess.Popen[str]:
    """Run what the image's entry point would, with the image's packages only."""
    blocker = BLOCKER.format(blocked=only_for_development() | {"deploy", "tests"})
    module = command[0]
    code = (
        f"{blocker}import runpy; sys.argv = {list(command)!r}; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    )
    flags = ["-I", "-B", "-c", code]  # -I ignores PYTHONDONTWRITEBYTECODE: -B says the same
    return subprocess.Popen(
        [sys.executable, *flags], cwd=folder, env=told, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def settings(admin_dsn: str) -> dict[str, str]:
    """What docker-compose.yml tells, for this machine. Nobody answers at Kafka's and the mail server's addresses."""
    host = admin_dsn.split("@", 1)[1]
    told = {
        "AIGUILLEUR_ADMIN_DATABASE": admin_dsn,
        "AIGUILLEUR_KAFKA": "127.0.0.1:9",
        "AIGUILLEUR_SMTP": "smtp://127.0.0.1:9",
        "AIGUILLEUR_ORGANISATION": str(ORGANISATION),
        "AIGUILLEUR_KEYS": f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "AIGUILLEUR_LINK_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    for service in SERVICES:
        told[f"AIGUILLEUR_{service.upper()}_DATABASE"] = f"postgresql://{role_of(service)}:{secrets.token_hex(8)}@{host}"
        told[f"AIGUILLEUR_{service.upper()}_PORT"] = str(ports.free_port())
    return told


async def until_ready(url: str, process: subprocess.Popen[str]) -> None:
    """Wait for the answer 200."""
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(READY_SECONDS):
        while process.poll() is None:
            try:
                if (await http.get(url)).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError(f"it ended with {process.returncode} before {url} was ready")


def written(folder: Path) -> dict[str, int]:
    """When each file and folder was last written."""
    return {str(path): path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}
