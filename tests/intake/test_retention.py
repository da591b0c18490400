"""The legal page says how long a request is kept: then it is gone, on a real PostgreSQL, with a clock that is moved."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from msgspec.structs import replace

from deploy.local import address
from services.intake.domain.command import AskReopening, Erase
from services.intake.domain.refusal import Refused
from services.intake.domain.request import TrackedRequest
from services.intake.domain.step import decide
from services.intake.retention import Retention
from shared.app import App
from shared.clock import FileClock
from shared.delivery.service import Context
from shared.delivery.values import Input
from shared.events import handling
from tests.conftest import fresh_database
from tests.intake.conftest import NOON, intake_on
from tests.intake.test_step import after, answered, command, life

CLOSED_AT = NOON + timedelta(days=1)
LAST_DAY = datetime(2028, 11, 25, 10, 59, tzinfo=UTC)
"""A minute before the 24 months of Rivemont are over."""
ENDED: dict[str, tuple[type[handling.LifeEvent], dict[str, Any]]] = {
    "answered": (handling.RequestAnswered, {"elapsed_working_seconds": 60, "sealed": "YW5zd2Vy"}),
    "resolved": (handling.RequestResolved, {"elapsed_working_seconds": 60}),
    "withdrawn": (handling.RequestWithdrawn, {}),
}


@pytest.fixture
async def app(postgres_server: address.Postgres, tmp_path: Path) -> AsyncIterator[App[TrackedRequest]]:
    """Intake, served: its loop looks by itself when the clock has gone on for an hour."""
    async with fresh_database(postgres_server.dsn) as dsn, intake_on(dsn, tmp_path) as app:
        yield app


async def ask(app: App[TrackedRequest], authority: str = "rivemont") -> UUID:
    body = {"authority": authority, "email": "s@courriel.example", "text": "Secret de Polichinelle"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.http), base_url="http://intake.test") as client:
        answer = await client.post("/v1/requests", json=body)
    return UUID(answer.json()["request_id"])


async def tell(app: App[TrackedRequest], request_id: UUID, status: str, *, at: datetime, authority: str = "rivemont") -> None:
    """The router tells the step of a life after which the request is in this state."""
    cls, more = ENDED.get(status, (handling.RequestReopened, {}))
    told: dict[str, Any] = {"request_id": request_id, "authority": authority, "at": at, "service": None, "version": 9, **more}
    await app.shell.run([Input(request_id, authority, cls(status=status, **told), fact=True)], lane="tick")


async def kept(app: App[TrackedRequest]) -> set[UUID]:
    return {row["request_id"] for row in await app.pool.fetch("SELECT request_id FROM vault.request_key")}


def move_clock(tmp_path: Path, to: datetime) -> None:
    FileClock.write(tmp_path / "clock.json", shown=to, speed=0.0)


async def look(app: App[TrackedRequest], tmp_path: Path, at: datetime, *, limit: int = 500) -> int:
    move_clock(tmp_path, at)
    await asyncio.sleep(0.03)  # the clock's file is looked at again after 20 ms
    return await Retention(app, limit=limit).erase_due()


@pytest.mark.integration
@pytest.mark.parametrize("status", ENDED)
async def test_it_is_erased_when_the_months_are_over_and_not_before(
    app: App[TrackedRequest], tmp_path: Path, status: str
) -> None:
    one = await ask(app)
    await tell(app, one, status, at=CLOSED_AT)

    move_clock(tmp_path, LAST_DAY)
    await asyncio.sleep(2.2)  # the loop looks at the clock each second
    assert await kept(app) == {one}
    move_clock(tmp_path, LAST_DAY + timedelta(hours=2))
    async with asyncio.timeout(10):
        while await kept(app):
            await asyncio.sleep(0.1)

    (row,) = await app.pool.fetch("SELECT status, closed_at FROM intake.tracking")
    assert tuple(row) == ("erased", None)
    events = await app.pool.fetch("SELECT type FROM intake.outbox ORDER BY sequence")
    assert [row["type"].split(".")[-2] for row in events] == ["received", "erased"]
    assert await Retention(app).erase_due() == 0


@pytest.mark.integration
async def test_what_is_open_or_open_again_is_kept(app: App[TrackedRequest], tmp_path: Path) -> None:
    untouched, reopened = await ask(app), await ask(app)
    await tell(app, reopened, "resolved", at=CLOSED_AT)
    await tell(app, reopened, "assigned", at=CLOSED_AT + timedelta(days=1))

    assert await look(app, tmp_path, LAST_DAY + timedelta(days=3650)) == 0
    assert await kept(app) == {untouched, reopened}


@pytest.mark.integration
async def test_each_authority_has_its_own_months(app: App[TrackedRequest], tmp_path: Path) -> None:
    there, here = await ask(app, "saint-aubrin"), await ask(app)  # 12 months, and 24
    await tell(app, there, "resolved", at=CLOSED_AT, authority="saint-aubrin")
    await tell(app, here, "resolved", at=CLOSED_AT)

    assert await look(app, tmp_path, datetime(2027, 11, 25, 11, 0, tzinfo=UTC)) <= 1  # the loop may have been quicker
    assert await kept(app) == {here}


@pytest.mark.integration
async def test_several_sets_and_replicas_erase_each_once(app: App[TrackedRequest], tmp_path: Path) -> None:
    ids = [await ask(app) for _ in range(7)]
    for one in ids:
        await tell(app, one, "withdrawn", at=CLOSED_AT)
    move_clock(tmp_path, LAST_DAY + timedelta(days=1))
    await asyncio.sleep(0.03)

    await asyncio.gather(*(Retention(app, limit=2).erase_due() for _ in range(3)))

    assert await kept(app) == set()
    assert await app.pool.fetchval("SELECT count(*) FROM intake.outbox WHERE type LIKE '%.erased.%'") == len(ids)


def test_a_reopening_in_the_same_moment_is_stronger(context: Context) -> None:
    closed = after(context, command(context), *answered(context))
    assert closed.closed_at is not None
    reopened = life(context, handling.RequestReopened, "assigned", 5)
    expiry = Erase(closed.closed_at)

    assert len(decide(closed, expiry, context)) == 1
    for alive in (after(context, command(context), *answered(context), reopened), replace(closed, closed_at=NOON)):
        with pytest.raises(Refused):
            decide(alive, expiry, context)
    with pytest.raises(Refused):
        decide(after(context, command(context), *answered(context), AskReopening("eA==")), expiry, context)
