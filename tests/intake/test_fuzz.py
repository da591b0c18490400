"""The API against its own OpenAPI document: every answer is declared as it comes, and nothing makes it fail."""

import asyncio
import sys
from pathlib import Path

import pytest

from services.intake.domain.request import TrackedRequest
from shared.app import App

pytestmark = [pytest.mark.integration, pytest.mark.slow]
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


async def test_the_api_keeps_to_its_document(intake: App[TrackedRequest]) -> None:
    """All checks of schemathesis but one: what the schema allows may still name a service or a subject that is not there."""
    address = f"http://127.0.0.1:{intake.settings.port}/openapi.json"
    options = ["--max-examples", "80", "--exclude-checks", "positive_data_acceptance", "--no-color"]
    run = await asyncio.create_subprocess_exec(
        SCHEMATHESIS, "run", address, *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await run.communicate()

    assert run.returncode == 0, output.decode()
    assert await intake.pool.fetchval("SELECT count(*) FROM intake.tracking") > 0, "no request of the fuzzer was ever accepted"
