"""Each API against its own OpenAPI document: all answers are declared, nothing makes a service fail or opens too much."""

import pytest

from tests.fuzz.fuzzing import fuzz
from tests.fuzz.installation import Installation

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]
CASES = 2_000


async def test_the_apis_keep_to_their_documents(installation: Installation) -> None:
    fuzzed = await fuzz(installation, cases=CASES, seed=1, tell=print)

    assert not [*fuzzed.server_errors, *fuzzed.breaches, *fuzzed.bypasses]
    assert fuzzed.cases >= CASES
    assert len(fuzzed.accepted) == 4, "each operation took some of the cases"
    assert min(fuzzed.accepted.values()) > 20
