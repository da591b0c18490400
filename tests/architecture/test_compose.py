"""docker-compose.yml, as Compose itself understands it; no daemon is needed."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aiguilleur.settings import CommandSettings
from shared.db.rights import VAULT_RIGHTS, role_of
from shared.events.topics import SERVICES
from tests.architecture.image import environment
from tests.architecture.settings import settings_of, variables_of
from tests.architecture.tree import ROOT

_COMPOSE = Path(sys.executable).with_name("docker-compose")
_EXAMPLE = ROOT / "deploy/compose/.env.example"


def compose(env_file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Have Compose read the file, what is started on request only included."""
    asked: list[str | Path] = ["--project-directory", ROOT, "--env-file", env_file, "--profile", "tools", "config"]
    return subprocess.run(
        [_COMPOSE, *asked, *arguments], cwd=ROOT, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60
    )


@pytest.fixture(scope="module")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .env as its script makes it."""
    made = subprocess.run(["sh", "deploy/compose/new-env.sh"], cwd=ROOT, check=True, capture_output=True, text=True)
    path = tmp_path_factory.mktemp("compose") / ".env"
    path.write_text(made.stdout)
    return path


@pytest.fixture(scope="module")
def services(env_file: Path) -> dict[str, Any]:
    """The services, everything filled in."""
    return read(env_file)


def read(env_file: Path) -> dict[str, Any]:
    """Return the services as Compose starts them; a variable that it would not set is left out."""
    told = compose(env_file, "--format", "json")
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)["services"]
    for one in found.values():
        one["environment"] = {name: value for name, value in (one.get("environment") or {}).items() if value is not None}
    return found


def test_it_is_valid_and_says_nothing(env_file: Path) -> None:
    told = compose(env_file, "-q")
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_it_refuses_to_start_without_secrets() -> None:
    told = compose(_EXAMPLE, "-q")
    assert told.returncode != 0
    assert "new-env.sh" in told.stderr


def test_new_secrets_fill_every_empty_place_and_nothing_else(env_file: Path) -> None:
    example, made = _EXAMPLE.read_text().splitlines(), env_file.read_text().splitlines()
    pairs = list(zip(example, made, strict=True))
    assert [new for old, new in pairs if old.endswith("=")] == [new for old, new in pairs if old != new]
    secrets = [new.split("=", 1)[1] for old, new in pairs if old.endswith("=")]
    assert len(set(secrets)) == len(secrets) and all(len(secret) >= 32 for secret in secrets)


def test_every_image_has_a_version(services: dict[str, Any]) -> None:
    images = {name: one["image"] for name, one in services.items()}
    assert all(re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", image) for image in images.values()), images


def test_nobody_is_root_or_gains_rights(services: dict[str, Any]) -> None:
    for name, one in services.items():
        assert one.get("user") and not re.match(r"(root|0)\b", one["user"]), name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "devices", "pid", "ipc", "network_mode"} & one.keys(), name


def test_ours_run_on_a_read_only_root(services: dict[str, Any]) -> None:
    for name in (*SERVICES, "migrate", "topics", "mail", "tools"):
        one = services[name]
        assert one["read_only"] and one["tmpfs"] == ["/tmp"], name
        written = [volume["target"] for volume in one.get("volumes", []) if not volume.get("read_only")]
        assert written == (["/files"] if name == "tools" else []), name


def test_only_pages_are_reached_from_outside(services: dict[str, Any]) -> None:
    published = {name: [port["host_ip"] for port in one["ports"]] for name, one in services.items() if one.get("ports")}
    assert published == {name: ["127.0.0.1"] for name in ("intake", "router", "stats", "mail")}
    outside = {name for name, one in services.items() if "outside" in one["networks"]}
    assert outside == set(published)


def test_a_published_port_is_the_one_that_the_service_listens_on(services: dict[str, Any]) -> None:
    for name in SERVICES:
        port = services[name]["environment"].get(
            f"AIGUILLEUR_{name.upper()}_PORT", settings_of(name).model_fields["port"].default
        )
        assert all(published["target"] == port for published in services[name].get("ports", [])), name


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_told_what_it_needs_and_nothing_that_it_does_not_read(services: dict[str, Any], name: str) -> None:
    told = services[name]["environment"].keys() | environment().keys()
    variables = variables_of(name)
    needed = {variable for variable, required in variables.items() if required}
    assert needed <= told
    assert services[name]["environment"].keys() <= variables.keys()
    assert services[name]["command"] == [f"services.{name}"]


@pytest.mark.parametrize("name", SERVICES)
def test_the_settings_of_a_service_can_be_read(services: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in services[name]["environment"].items():
        monkeypatch.setenv(variable, str(value))
    settings = settings_of(name)()  # from the environment
    assert role_of(name) in settings.database.get_secret_value()


def test_secrets_go_to_those_who_need_them(services: dict[str, Any]) -> None:
    def told(variable: str) -> set[str]:
        return {name for name, one in services.items() if variable in one["environment"]}

    assert told("AIGUILLEUR_KEYS") == {name for name, verbs in VAULT_RIGHTS.items() if verbs} | {"tools"}
    assert told("AIGUILLEUR_LINK_KEY") == {"router", "notifier", "tools"}
    assert told("AIGUILLEUR_ADMIN_DATABASE") == {"migrate"}
    for service in SERVICES:
        assert told(f"AIGUILLEUR_{service.upper()}_DATABASE") == {service, "migrate", "tools"}


def test_the_commands_know_what_they_are_told(services: dict[str, Any]) -> None:
    known = {f"AIGUILLEUR_{name.upper()}" for name in CommandSettings.model_fields}
    for name in ("migrate", "topics"):
        assert services[name]["environment"].keys() <= known
        assert services[name]["command"] == ["aiguilleur", name]


def test_services_start_when_what_they_need_is_there(services: dict[str, Any]) -> None:
    def waits_for(name: str) -> dict[str, str]:
        return {other: how["condition"] for other, how in services[name]["depends_on"].items()}

    assert waits_for("migrate") == {"postgres": "service_healthy"}
    assert waits_for("topics") == {"kafka": "service_healthy"}
    for name in SERVICES:
        done = {"migrate": "service_completed_successfully", "topics": "service_completed_successfully"}
        assert done.items() <= waits_for(name).items(), name
    for name in ("kafka", "postgres", "mail"):
        assert services[name]["healthcheck"]["test"], name
    for name in SERVICES:
        assert "healthcheck" not in services[name], f"{name}: the image has one"


def test_one_service_builds_the_image_of_all(services: dict[str, Any]) -> None:
    built = {name for name, one in services.items() if "build" in one}
    assert built == {"migrate"}
    ours = {services[name]["image"] for name in (*SERVICES, "migrate", "topics", "tools")}
    assert len(ours) == 1
