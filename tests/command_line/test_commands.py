"""The command line without a server: help that teaches, errors that say what to do."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from aiguilleur.__main__ import app
from aiguilleur.terminal import CommandError
from services.intake.reference import parse_reference
from shared.vault.escrow import EscrowKey

ORGANISATION = Path(__file__).parents[2] / "deploy/organisation"
COMMANDS = (
    *("check", "migrate", "topics", "serve", "status", "rebuild", "reconcile", "republish", "rewind", "erase", "events"),
    *("keys new", "keys escrow-new"),
)
PARKED = ("parked list", "parked show", "parked replay", "parked skip")
_NOWHERE = "postgresql://aiguilleur_router:secret-password@127.0.0.1:9/nothing"


def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run a command with nothing of ours in its environment but what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIGUILLEUR_")}
    done = subprocess.run(
        [sys.executable, "-m", "aiguilleur", *arguments],
        env=kept | {"TERMINAL_WIDTH": "160", "NO_COLOR": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def invoke(*arguments: str) -> Result:
    """Run a command in this process: quicker, and enough where the environment does not matter."""
    return CliRunner(env={"TERMINAL_WIDTH": "160", "NO_COLOR": "1"}).invoke(app, arguments)


def test_the_help_names_every_command_and_where_to_begin() -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert all(command.split()[0] in out for command in (*COMMANDS, *PARKED))
    assert "aiguilleur keys new" in out


@pytest.mark.parametrize("command", [*COMMANDS, *PARKED])
def test_the_help_of_a_command_has_an_example(command: str) -> None:
    told = invoke(*command.split(), "--help")
    assert told.exit_code == 0
    assert "aiguilleur" in told.output.split("Example: ")[1]


def test_the_example_of_erase_is_a_reference_that_is_taken() -> None:
    words = invoke("erase", "--help").output.split("Example: aiguilleur erase ")[1].split()
    assert parse_reference(words[0]) == words[0]


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("-h", 0), ("--folder", 2), ("", 2)])
def test_the_environment_is_not_made_in_a_folder_named_like_an_option(argument: str, code: int, tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "deploy/local/environment.py"
    told = [argument] if argument else []
    done = subprocess.run([sys.executable, "-I", script, *told], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == code
    assert "usage: environment.py FOLDER" in done.stdout + done.stderr
    assert not list(tmp_path.iterdir())


def test_check_says_that_the_demo_is_right() -> None:
    told = invoke("check", str(ORGANISATION))
    assert told.exit_code == 0
    assert "rivemont: " in told.output


def test_check_names_file_and_line_of_a_fault(tmp_path: Path) -> None:
    for source in (ORGANISATION / "saint-aubrin").iterdir():
        target = tmp_path / "saint-aubrin" / source.name
        target.parent.mkdir(exist_ok=True)
        target.write_text(source.read_text().replace("front_desk:", "front_dsek:"))

    told = invoke("check", str(tmp_path))

    assert told.exit_code == 1
    assert "authority.yaml:" in told.output
    assert "front_dsek" in told.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("rebuild nobody --check", "there is no service 'nobody'"),
        ("rebuild router", "say what to do"),
        ("parked replay router", "nothing is chosen"),
        ("parked skip router --missing requests.v1", "--missing needs --request"),
        ("migrate", "AIGUILLEUR_ADMIN_DATABASE is not set"),
        ("status", "AIGUILLEUR_KAFKA is not set"),
        ("topics", "AIGUILLEUR_KAFKA is not set"),
        ("republish router", "AIGUILLEUR_ROUTER_DATABASE is not set"),
        ("reconcile --escrow-key nowhere", "nowhere: [Errno 2] No such file or directory: 'nowhere'"),
        ("events --folder nowhere", "there is no folder nowhere"),
    ],
)
def test_a_wrong_call_is_answered_with_what_to_do(arguments: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("AIGUILLEUR_"):
            monkeypatch.delenv(name)
    error = invoke(*arguments.split()).exception
    assert isinstance(error, CommandError)
    assert str(error) == told
    assert error.hint


def test_an_error_is_a_line_and_a_hint_on_standard_error() -> None:
    code, out, err = run("status")
    assert (code, out) == (1, "")
    assert err == "error: AIGUILLEUR_KAFKA is not set\n       give Kafka's address: AIGUILLEUR_KAFKA=host:9092\n"


def test_missing_settings_of_a_service_are_listed() -> None:
    code, _, err = run("parked", "list", "router")
    assert code == 2
    assert "AIGUILLEUR_ROUTER_DATABASE" in err


def test_a_database_that_does_not_answer_is_said_without_its_password() -> None:
    told = {"AIGUILLEUR_KAFKA": "127.0.0.1:9", "AIGUILLEUR_ORGANISATION": str(ORGANISATION)}
    code, out, err = run("parked", "list", "router", **told, AIGUILLEUR_ROUTER_DATABASE=_NOWHERE, **_secrets())
    assert code == 1
    assert err.startswith("error: no connection")
    assert "secret-password" not in out + err


def _secrets() -> dict[str, str]:
    return dict(line.split("=", 1) for line in invoke("keys", "new").output.splitlines())


def test_an_escrow_key_is_made_once_and_only_its_public_half_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "escrow.key"
    told = invoke("keys", "escrow-new", str(file))
    again = invoke("keys", "escrow-new", str(file))

    name, _, value = told.output.strip().partition("=")
    assert name == "AIGUILLEUR_ESCROW_PUBLIC_KEY"
    assert EscrowKey.from_text(file.read_text()).public_text == value
    assert file.stat().st_mode & 0o777 == 0o600
    assert isinstance(again.exception, CommandError)


def test_new_keys_are_settings_of_32_bytes_each_time_others() -> None:
    told, again = _secrets(), _secrets()
    assert told.keys() == {"AIGUILLEUR_KEYS", "AIGUILLEUR_LINK_KEY"}
    number, _, key = told["AIGUILLEUR_KEYS"].partition(":")
    assert (number, len(base64.b64decode(key)), len(base64.b64decode(told["AIGUILLEUR_LINK_KEY"]))) == ("1", 32, 32)
    assert not set(told.values()) & set(again.values())
