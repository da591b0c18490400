"""What .env says reaches whom it is for: no setting of ours is left behind by docker-compose.yml in silence."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from aiguilleur.settings import CommandSettings
from shared.events.topics import SERVICES
from tests.architecture.image import unpack
from tests.architecture.settings import settings_of, variables_of
from tests.architecture.test_compose import env_file, read, services
from tests.architecture.tree import ROOT

__all__ = ["env_file", "services"]
_NEVER_PASSED = {
    r"AIGUILLEUR_[A-Z]+_HOST": "the image says it: all addresses of the container",
    r"AIGUILLEUR_[A-Z]+_PORT": "published ports and the health check rest on the default",
    r"AIGUILLEUR_INSTANCE": "one container of each service",
    r"AIGUILLEUR_CLOCK_FILE": "for tests and the demo",
    r"AIGUILLEUR_ADMIN_DATABASE": "`docker compose run --rm migrate` alone may know it",
}
_SECRETS = {"AIGUILLEUR_KEYS", "AIGUILLEUR_LINK_KEY"}
"""These go to those alone that do not start without them."""
_OF_THIS_FILE = re.compile(r"AIGUILLEUR_(KAFKA|ORGANISATION)")
"""What stands in the file itself: the servers and folders that it makes."""


def never_passed(variable: str) -> bool:
    return any(re.fullmatch(pattern, variable) for pattern in _NEVER_PASSED)


def wanted_by(service: str) -> set[str]:
    """Return the variables that a service has to be told when .env has them."""
    return {
        variable
        for variable, required in variables_of(service).items()
        if not never_passed(variable) and (required or variable not in _SECRETS)
    }


def passed(environment: dict[str, Any]) -> set[str]:
    """Return the variables that .env decides, wholly or in part."""
    return {name for name, value in environment.items() if value is None or "${" in value or _OF_THIS_FILE.fullmatch(name)}


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    """The services as they stand in the file, nothing filled in."""
    found: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_every_setting_of_a_service_can_be_given(written: dict[str, Any], name: str) -> None:
    left = wanted_by(name) - passed(written[name]["environment"])
    assert not left, f"{name} never hears of {sorted(left)}"


def test_every_setting_of_the_command_line_can_be_given(written: dict[str, Any]) -> None:
    """Commands like `reconcile` and `rebuild` build the services: they are told all that these are."""
    own = {f"AIGUILLEUR_{name.upper()}" for name in CommandSettings.model_fields}
    wanted = {variable for variable in own if not never_passed(variable)}.union(*map(wanted_by, SERVICES))
    left = wanted - passed(written["tools"]["environment"])
    assert not left, f"the command line never hears of {sorted(left)}"


def test_a_setting_that_is_left_out_or_fixed_is_seen(written: dict[str, Any]) -> None:
    environment = dict(written["intake"]["environment"])
    del environment["AIGUILLEUR_ESCROW_PUBLIC_KEY"]
    environment["AIGUILLEUR_LOG_LEVEL"] = "INFO"
    assert wanted_by("intake") - passed(environment) == {"AIGUILLEUR_ESCROW_PUBLIC_KEY", "AIGUILLEUR_LOG_LEVEL"}


def test_what_is_never_passed_is_a_setting_of_somebody() -> None:
    known = {variable for name in SERVICES for variable in variables_of(name)}
    known |= {f"AIGUILLEUR_{name.upper()}" for name in CommandSettings.model_fields}
    assert not [pattern for pattern in _NEVER_PASSED if not any(re.fullmatch(pattern, variable) for variable in known)]


def test_escrow_is_on_once_its_key_is_in_env(env_file: Path, tmp_path: Path) -> None:
    """Given what `aiguilleur keys escrow-new escrow.key >> .env` does, intake reads the key; without it there is none."""
    assert "AIGUILLEUR_ESCROW_PUBLIC_KEY" not in read(env_file)["intake"]["environment"]
    made = run_tools(read(env_file)["tools"], tmp_path, "keys", "escrow-new", "escrow.key")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "files/escrow.key").exists()
    more = tmp_path / ".env"
    more.write_text(env_file.read_text() + made.stdout)
    told = read(more)["intake"]["environment"]
    assert told["AIGUILLEUR_ESCROW_PUBLIC_KEY"] == made.stdout.strip().partition("=")[2]


@pytest.mark.parametrize("name", SERVICES)
def test_the_command_line_sees_a_service_as_it_sees_itself(
    services: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = services["tools"]["environment"]
    assert services[name]["environment"].items() <= tools.items()
    for variable, value in tools.items():
        monkeypatch.setenv(variable, value)
    settings_of(name)()  # from the environment
    assert CommandSettings().service_dsn(name)


def test_the_command_line_is_started_by_hand_and_starts_nothing(services: dict[str, Any]) -> None:
    tools = services["tools"]
    assert (tools["profiles"], tools["restart"]) == (["tools"], "no")
    assert "depends_on" not in tools, "it would start what a page has stopped"
    assert tools["networks"].keys() == {"inside"}, "where Kafka and PostgreSQL are"
    assert tools["entrypoint"] == ["python", "-m", "aiguilleur"]


def test_the_folder_of_files_is_there_and_what_is_in_it_stays_out_of_git(services: dict[str, Any]) -> None:
    (folder,) = [one for one in services["tools"]["volumes"] if one["target"] == services["tools"]["working_dir"]]
    place = Path(folder["source"])
    assert place.is_dir() and not folder["bind"]["create_host_path"], "Docker would make it, for root alone"
    assert subprocess.run(["git", "check-ignore", "-q", place / "escrow.key"], cwd=ROOT).returncode == 0


def test_no_code_is_taken_from_the_folder_of_files(services: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/typer.py").write_text("raise SystemExit('taken from the folder of files')")
    told = run_tools(services["tools"], tmp_path, "--help")
    assert told.returncode == 0, told.stderr


def run_tools(tools: dict[str, Any], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as its container would, on what the image holds: /app and /files are folders of `folder`."""
    python, *command = tools["entrypoint"]
    assert python == "python"
    app = unpack(folder / "app")
    files = folder / "files"
    files.mkdir(exist_ok=True)
    environment = tools["environment"] | {"PYTHONPATH": str(app), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"}
    assert (tools["environment"]["PYTHONPATH"], tools["working_dir"]) == ("/app", "/files")
    return subprocess.run(
        [sys.executable, *command, *arguments], cwd=files, env=environment, capture_output=True, text=True, timeout=60
    )
