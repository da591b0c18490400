"""Commands of business software, as records of `commands.v1`, through the shell on a real PostgreSQL."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.delivery.values import RawRecord
from tests.router.conftest import Office

pytestmark = pytest.mark.integration
HEADERS = (("ce_specversion", b"1.0"), ("ce_type", b"fr.aiguilleur.command.issued.v1"), ("ce_source", b"/business/roads"))


class Commands:
    """The partition of `commands.v1` that a business software writes to."""

    def __init__(self, office: Office) -> None:
        self.office = office

    async def issue(self, request_id: UUID, action: str, *, times: int = 1, name: str | None = None, **more: Any) -> None:
        """Publish a command, and let the router take it."""
        told = {"request_id": str(request_id), "authority": "rivemont", "at": "2026-11-23T09:00:00Z", "action": action} | more
        rows = await self.office.admin.fetch("SELECT next_offset FROM router.position WHERE topic = 'commands.v1'")
        start = rows[0][0] if rows else 0
        value = json.dumps(told).encode()
        ids = [("ce_id", (name or str(uuid4())).encode()) for _ in range(times)]
        records = [RawRecord("commands.v1", 0, start + place, None, (*HEADERS, one), value) for place, one in enumerate(ids)]
        assert await self.office.app.shell.take({("commands.v1", 0): records}) == {}


@pytest.fixture
def commands(office: Office) -> Commands:
    return Commands(office)


async def test_business_software_takes_charge_and_resolves(office: Office, commands: Commands) -> None:
    request_id = await office.receive()

    await commands.issue(request_id, "take_charge", expected_version=2)
    await commands.issue(request_id, "resolve")

    life = await office.life(request_id)
    assert [entry.what for entry in life.history] == ["registered", "assigned", "taken_in_charge", "resolved"]


async def test_a_command_that_comes_twice_counts_once(office: Office, commands: Commands) -> None:
    request_id = await office.receive()

    await commands.issue(request_id, "transfer", service="proprete", name="one", times=2)
    await commands.issue(request_id, "transfer", service="proprete", name="one")

    assert (await office.life(request_id)).version == 3


async def test_a_command_that_the_state_does_not_allow_is_answered_on_the_log(office: Office, commands: Commands) -> None:
    request_id = await office.receive()

    await commands.issue(request_id, "answer")

    told = await office.admin.fetchval(
        "SELECT value FROM router.outbox WHERE request_id = $1 AND topic = 'handling.v1' ORDER BY sequence DESC LIMIT 1",
        request_id,
    )
    refused = json.loads(told)
    assert (refused["action"], refused["why"], refused["version"]) == ("answer", "no_text", 2)


async def test_commands_for_unknown_requests_are_parked_with_what_to_do_and_stop_nothing(
    office: Office, commands: Commands
) -> None:
    unknown = uuid4()

    await commands.issue(unknown, "resolve", times=office.app.settings.parked_limit + 1)

    rows = await office.admin.fetch("SELECT why, detail FROM router.parked WHERE request_id = $1", unknown)
    assert len(rows) == office.app.settings.parked_limit + 1
    assert {row["why"] for row in rows} == {"refused"}
    assert "replay this later, else skip it" in rows[0]["detail"]


async def test_a_command_of_another_authority_is_parked(office: Office, commands: Commands) -> None:
    request_id = await office.receive()

    await commands.issue(request_id, "resolve", authority="saint-aubrin")

    assert (await office.life(request_id)).status == "assigned"
    (row,) = await office.admin.fetch("SELECT why, detail FROM router.parked WHERE request_id = $1", request_id)
    assert row["why"] == "refused" and "another authority" in row["detail"]
    stored = await office.admin.fetchval("SELECT authority FROM router.request WHERE request_id = $1", request_id)
    assert stored == "rivemont"
