"""What the tests of the shell share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.organisation import Authority, load
from tests.delivery.memory import Memory
from tests.delivery.sample import Faults

ORGANISATION = Path(__file__).parents[2] / "deploy" / "organisation"


@pytest.fixture(scope="session")
def authority() -> Authority:
    return load(ORGANISATION).authority("rivemont")


@pytest.fixture
def memory(authority: Authority) -> Memory:
    return Memory(authority)


@pytest.fixture(autouse=True)
def faulty_again() -> Iterator[None]:
    yield
    Faults.poison = frozenset({"poison"})
