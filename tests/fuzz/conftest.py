"""What the tests of hostile input share: the services whole, once for the run."""

from collections.abc import AsyncIterator

import pytest

from deploy.local import address
from tests.conftest import fresh_database
from tests.fuzz.installation import Installation, open_installation


@pytest.fixture(scope="session")
async def installation(
    postgres_server: address.Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    async with (
        fresh_database(postgres_server.dsn) as admin_dsn,
        open_installation(admin_dsn, tmp_path_factory.mktemp("fuzz")) as opened,
    ):
        yield opened
