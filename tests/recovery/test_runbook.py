"""The reader of the pages can fail: else a test that follows them would prove nothing."""

import re

import pytest
from ruamel.yaml import YAML

from shared.events.topics import SERVICES
from shared.settings import ServiceSettings
from tests.recovery.operator import START, STOP, TOOLS
from tests.recovery.runbook import PAGES, Block, follow, missing, read


@pytest.mark.parametrize("page", ["lose-kafka.md", "restore-postgresql.md"])
def test_a_page_has_commands_and_says_what_is_to_be_seen(page: str) -> None:
    tools, *blocks = read(page)

    assert tools.commands == (TOOLS,), "before anything else, how the command line is run"
    assert len(blocks) > 2 and all(block.commands for block in blocks)
    assert {command.split()[0] for block in blocks for command in block.commands} <= {"aiguilleur", "docker"}
    assert all(block.seen for block in blocks if block.commands[0].startswith("aiguilleur"))


def test_what_is_to_be_seen_must_be_there_in_order() -> None:
    block = Block("", ("aiguilleur status",), ("… events of intake", "… events of router"))

    assert missing(block, "12 events of intake adopted\n3 events of router\n") == []
    assert missing(block, "3 events of router\n12 events of intake adopted\n") == ["… events of router"]
    assert missing(block, "nothing") == list(block.seen)


async def test_a_page_whose_promise_is_broken_fails() -> None:
    async def silent(_command: str, _until_well: bool) -> str:
        return ""

    with pytest.raises(AssertionError, match="the page promises"):
        await follow("lose-kafka.md", silent)


def test_what_a_page_stops_and_starts_is_what_docker_compose_runs() -> None:
    commands = [command for block in read("restore-postgresql.md") for command in block.commands if command.startswith("docker")]

    services = YAML(typ="safe").load(PAGES.parents[1] / "docker-compose.yml")["services"]
    assert commands == [STOP, START]
    assert {*SERVICES, TOOLS.split()[-3]} <= services.keys()
    assert services[TOOLS.split()[-3]]["entrypoint"] == ["python", "-m", "aiguilleur"]


def test_the_pages_and_the_settings_speak_of_the_same_kind_of_replicas() -> None:
    """Two pods of a Deployment would be one member of a group: they have no stable names."""
    told = ServiceSettings.model_fields["instance"].description
    scaled = re.findall(r"\b([a-z]+)/(?:intake|router|sla|notifier|stats)\b", (PAGES / "restore-postgresql.md").read_text())

    assert told is not None and "StatefulSet" in told
    assert set(scaled) == {"statefulset"}
