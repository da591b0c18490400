"""Each API against its own OpenAPI document: every answer is declared as it comes, and nothing makes a service fail.

Intake's API is in tests/intake/test_fuzz.py; the router has pages only.
"""

import asyncio
import os
import sys
from pathlib import Path

import httpx
import pytest
import schemathesis

from tests.architecture.tree import ROOT
from tests.fuzz.installation import Installation

pytestmark = [pytest.mark.integration, pytest.mark.slow]
_SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
_OPTIONS = ("--max-examples", "150", "--no-color", "--exclude-checks")
_NOT_CHECKED = "positive_data_acceptance"
"""What the schema allows may still name an authority, a request or a period that is not there."""


@pytest.mark.parametrize("service", ["sla", "stats"])
async def test_an_api_keeps_to_its_document(installation: Installation, tmp_path: Path, service: str) -> None:
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
        "FUZZ_REQUEST_ID": str(installation.request_id),
        "PYTHONPATH": str(ROOT),
    }
    command: list[str | Path] = [_SCHEMATHESIS, "run", f"{installation.url(service)}/openapi.json", *_OPTIONS, _NOT_CHECKED]
    run = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await run.communicate()

    assert run.returncode == 0, output.decode()
    assert b"Missing test data" not in output, "the fuzzer found nothing that exists: tests/fuzz/hooks.py was not heard"


@pytest.mark.parametrize(
    ("service", "operation", "path"),
    [
        ("intake", "/v1/requests/{token}", "/v1/requests/{tracking_token}"),
        ("sla", "/v1/requests/{request_id}/deadline", "/v1/requests/{request_id}/deadline"),
        ("stats", "/v1/statistics/{authority}", "/v1/statistics/rivemont"),
    ],
)
async def test_what_is_found_is_as_the_document_says(installation: Installation, service: str, operation: str, path: str) -> None:
    address = installation.url(service)
    schema = await asyncio.to_thread(schemathesis.openapi.from_url, f"{address}/openapi.json")
    asked = path.format(request_id=installation.request_id, tracking_token=installation.tracking_token)

    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(address + asked)

    assert answer.status_code == 200
    schema[operation]["GET"].validate_response(answer)
