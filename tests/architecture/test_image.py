"""The image: what is in it, as whom it runs, and that what is in it is enough."""

import asyncio
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import packages_distributions
from pathlib import Path
from threading import Thread

import pytest

from deploy import liveness
from deploy.local import ports
from shared.events.topics import SERVICES
from tests.architecture.image import context, environment, instructions, last_stage, unpack
from tests.architecture.settings import settings_of
from tests.architecture.tree import ROOT, modules
from tests.cost import gate

BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} is not in the image")
sys.meta_path.insert(0, Blocker())
sys.path.insert(0, ".")
"""


def distributions(requirements: str) -> set[str]:
    """The packages that a requirements file pins."""
    text = (ROOT / "requirements" / requirements).read_text(encoding="utf-8")
    return {_normal(name) for name in re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==", text, re.MULTILINE)}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def only_for_development() -> set[str]:
    """The top-level modules that are installed here, but not in the image."""
    runtime = distributions("runtime.txt")
    found = {name for name, owners in packages_distributions().items() if not {_normal(owner) for owner in owners} & runtime}
    return found - {"aiguilleur", "services", "shared"}


def run_in(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code where only what the image has can be imported."""
    blocker = BLOCKER.format(blocked=only_for_development() | {"deploy", "tests"})
    flags = ["-I", "-B", "-c", blocker + code]  # -I: neither this checkout nor the environment is looked at
    return subprocess.run([sys.executable, *flags], cwd=folder, capture_output=True, text=True, timeout=60)


# --- Dockerfile ----------------------------------------------------------------------------------------------------------


def test_every_stage_is_pinned_to_a_patch_release() -> None:
    stages = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    assert len(stages) > 1
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", stage) for stage in stages), stages


def test_its_python_is_the_one_that_is_tested() -> None:
    """CI's, whose instructions are recorded: the cost gate fails there on another one."""
    stages = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    assert all(stage.startswith(f"python:{gate.REFERENCE}.") for stage in stages), stages


def test_packages_are_installed_by_hash_from_the_runtime_list_alone() -> None:
    installs = [rest for name, rest in instructions() if name == "RUN" and " install " in rest]
    assert installs and all("--require-hashes -r /runtime.txt" in rest for rest in installs)
    assert ("COPY", "requirements/runtime.txt /runtime.txt") in instructions()


def test_it_runs_as_nobody_in_particular() -> None:
    users = [rest for name, rest in last_stage() if name == "USER"]
    assert users and re.fullmatch(r"[1-9]\d{4}:[1-9]\d{4}", users[-1]), "a number, so that Kubernetes can see that it is not root"
    after = [name for name, _ in last_stage()[[name for name, _ in last_stage()].index("USER") :]]
    assert not {"RUN", "COPY", "ADD"} & set(after), "nothing belongs to the user that runs: it can change nothing"


def test_it_writes_no_bytecode_and_has_a_health_check() -> None:
    assert environment()["PYTHONDONTWRITEBYTECODE"] == "1"
    told = dict(last_stage())
    assert told["ENTRYPOINT"] == '["python", "-m"]'
    assert told["HEALTHCHECK"].endswith('CMD ["python", "liveness.py"]')


def test_every_service_listens_where_others_can_reach_it() -> None:
    told = environment()
    assert {told[f"AIGUILLEUR_{service.upper()}_HOST"] for service in SERVICES} == {"0.0.0.0"}


def test_only_what_runs_is_in_it(tmp_path: Path) -> None:
    tops = {path.split("/")[0] for path in context()}
    assert tops == {"aiguilleur", "deploy", "requirements", "services", "shared"}
    unpacked = {path.name for path in unpack(tmp_path).iterdir()}
    assert unpacked == {"aiguilleur", "services", "shared", "liveness.py"}
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith((".env", "test_", "conftest"))]


# --- what runs from it ---------------------------------------------------------------------------------------------------


def test_nothing_that_runs_imports_what_only_development_has() -> None:
    blocked = only_for_development() | {"deploy", "tests"}
    found = {
        f"{module.path}: {name}"
        for module in modules("aiguilleur", "services", "shared")
        for name in module.imports()
        if name.partition(".")[0] in blocked and module.path != "shared/pages/gallery.py"  # a page for who works on pages
    }
    assert {"pytest", "docker", "aiosmtpd", "httpx"} <= blocked, "the list of what is only for development is not made right"
    assert not found, "\n".join(sorted(found))


@pytest.mark.parametrize("command", [*(f"services.{service}" for service in SERVICES), "services", "aiguilleur"])
def test_every_command_starts_from_what_the_image_holds(tmp_path: Path, command: str) -> None:
    run = f"import runpy; sys.argv = [{command!r}, '--help']; runpy.run_module({command!r}, run_name='__main__', alter_sys=True)"

    told = run_in(unpack(tmp_path), run)

    assert told.returncode == 0, told.stderr
    assert "sage:" in told.stdout
    assert not list(tmp_path.rglob("__pycache__"))


def test_templates_texts_and_migrations_are_in_it(tmp_path: Path) -> None:
    held = {str(path.relative_to(tmp_path)) for path in unpack(tmp_path).rglob("*") if path.is_file()}
    needed = {path for path in context() if path.startswith(("services/", "shared/"))}
    assert needed <= held
    for service in SERVICES:
        assert f"services/{service}/migrations/0001_shell.py" in held
    assert {"shared/db/alembic/env.py", "shared/pages/templates/base.html", "services/intake/templates/form.html"} <= held
    assert "services/intake/locale/en/LC_MESSAGES/intake.po" in held


# --- health check --------------------------------------------------------------------------------------------------------


def test_the_health_check_asks_where_services_listen() -> None:
    assert {name: settings_of(name.lower()).model_fields["port"].default for name in liveness.PORTS} == liveness.PORTS
    assert {name.lower() for name in liveness.PORTS} == set(SERVICES)
    assert dict(last_stage())["EXPOSE"].split() == [str(port) for port in liveness.PORTS.values()]


@pytest.mark.parametrize(("answers", "healthy"), [([200], 0), ([200, 200], 0), ([503], 1), ([200, 503], 1), ([], 1)])
async def test_the_health_check_says_what_live_says(monkeypatch: pytest.MonkeyPatch, answers: list[int], healthy: int) -> None:
    for name in liveness.PORTS:
        monkeypatch.setenv(f"AIGUILLEUR_{name}_PORT", str(ports.free_port()))
    servers = [HTTPServer(("127.0.0.1", 0), handler_of(status)) for status in answers]
    for name, server in zip(liveness.PORTS, servers, strict=False):
        monkeypatch.setenv(f"AIGUILLEUR_{name}_PORT", str(server.server_port))
        Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert await asyncio.to_thread(liveness.main) == healthy
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def handler_of(status: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/live" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    return Handler
