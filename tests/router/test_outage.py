"""The agents' pages while PostgreSQL is away."""

import pytest

from deploy.local import address
from tests.router.conftest import Office

pytestmark = pytest.mark.integration


async def test_a_text_written_while_the_database_is_away_is_kept_and_counts_once(
    office: Office, postgres_server: address.Postgres
) -> None:
    request_id = await office.receive()
    token = office.token(request_id, "answer")
    postgres_server.kill()

    try:
        shown = await office.http.get(f"/a/{token}")
        sent = await office.http.post(f"/a/{token}", data={"text": "Une longue réponse"})
    finally:
        postgres_server.restart()
        await office.app.pool.fetchval("SELECT 1")  # another run of PostgreSQL: the gate is shut until it is compared
        office.app.shell.gate.trust()  # and no Kafka here to compare it with

    for page in (shown, sent):
        assert page.status_code == 503 and int(page.headers["retry-after"]) > 0
    assert "Une longue réponse</textarea>" in sent.text and "ne comptera qu’une fois" in sent.text
    again = await office.http.post(f"/a/{token}", data={"text": "Une longue réponse"})
    assert again.status_code == 200 and "Votre réponse est enregistrée" in again.text
    assert (await office.life(request_id)).version == 4
