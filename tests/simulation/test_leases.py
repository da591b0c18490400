"""One suite for claims, leases and what is given back, in memory and in PostgreSQL."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from services.notifier.store import PutBack
from shared.db.migrate import migrate
from shared.db.pool import open_pool
from shared.db.rights import role_of
from shared.events.topics import SERVICES
from tests.delivery.sample import NOW
from tests.simulation.leases import (
    LEASE,
    Leases,
    MemoryLeases,
    RealLeases,
    drop_deadline,
    drop_letter,
    save_deadline,
    save_letter,
)  # fmt: skip

MINUTE = timedelta(minutes=1)
FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))


@asynccontextmanager
async def _real(database: str) -> AsyncIterator[RealLeases]:
    host = database.split("@", 1)[1]
    dsns = {service: f"postgresql://{role_of(service)}:{secrets.token_hex(8)}@{host}" for service in SERVICES}
    await migrate(database, dsns, lambda _: None)
    pool = await open_pool(database, name="test", largest=2)
    try:
        yield RealLeases(pool)
    finally:
        pool.terminate()


@pytest.fixture(params=["memory", pytest.param("postgresql", marks=pytest.mark.integration)])
def dsn(request: pytest.FixtureRequest) -> str | None:
    """The database to run on; None for the memory."""
    return None if request.param == "memory" else str(request.getfixturevalue("database"))


@pytest.fixture
async def desk(dsn: str | None) -> AsyncIterator[Leases]:
    if dsn is None:
        yield MemoryLeases()
        return
    async with _real(dsn) as real:
        yield real


async def claim_deadlines(desk: Leases, *, limit: int = 100) -> list[UUID]:
    claimed = await desk.deadlines.claim_due(NOW, limit=limit, lease=LEASE)
    return [one.request_id for one in sorted(claimed, key=lambda one: one.due_at)]


async def claim_letters(desk: Leases, holder: int = 0, *, limit: int = 100) -> list[tuple[UUID, int]]:
    claimed = await desk.letters[holder].claim_due(NOW, limit=limit, lease=LEASE)
    return sorted((one.request_id, one.attempts) for one in claimed)


async def test_deadlines_are_claimed_when_they_are_due_the_oldest_first(desk: Leases) -> None:
    await save_deadline(desk, FIRST, NOW - MINUTE)
    await save_deadline(desk, SECOND, NOW - 2 * MINUTE)
    await save_deadline(desk, THIRD, NOW + MINUTE)
    assert await claim_deadlines(desk, limit=1) == [SECOND]
    assert await claim_deadlines(desk) == [FIRST]
    assert await claim_deadlines(desk) == []
    assert await desk.deadlines.find_next() == NOW - 2 * MINUTE, "claimed or not"


async def test_a_claimed_deadline_tells_what_was_noted_down(desk: Leases) -> None:
    await save_deadline(desk, FIRST, NOW)
    claimed = await desk.deadlines.claim_due(NOW, limit=1, lease=LEASE)
    assert [tuple(one) for one in claimed] == [(FIRST, "rivemont", "answer", "due", NOW)]


async def test_a_deadline_that_somebody_holds_is_claimed_again_when_the_lease_is_over(desk: Leases) -> None:
    await save_deadline(desk, FIRST, NOW)
    assert await claim_deadlines(desk) == [FIRST]
    assert await claim_deadlines(desk) == []
    await desk.pass_leases()
    assert await claim_deadlines(desk) == [FIRST]


async def test_a_deadline_that_moves_is_held_by_nobody(desk: Leases) -> None:
    await save_deadline(desk, FIRST, NOW - MINUTE)
    await claim_deadlines(desk)
    await save_deadline(desk, FIRST, NOW)
    assert await claim_deadlines(desk) == [FIRST]


async def test_a_deadline_that_is_gone_is_not_claimed_nor_next(desk: Leases) -> None:
    await save_deadline(desk, FIRST, NOW - MINUTE)
    await save_deadline(desk, SECOND, NOW + MINUTE)
    await claim_deadlines(desk)
    await drop_deadline(desk, FIRST)
    await desk.pass_leases()
    assert await claim_deadlines(desk) == []
    assert await desk.deadlines.find_next() == NOW + MINUTE
    await drop_deadline(desk, SECOND)
    assert await desk.deadlines.find_next() is None


async def test_a_fresh_letter_is_due_at_once_and_held_by_who_claims_it(desk: Leases) -> None:
    await save_letter(desk, FIRST)
    assert await claim_letters(desk) == [(FIRST, 0)]
    assert await claim_letters(desk, 1) == []
    await desk.pass_leases()
    assert await claim_letters(desk, 1) == [(FIRST, 0)]


async def test_a_letter_that_is_written_again_stays_as_it_was(desk: Leases) -> None:
    await save_letter(desk, FIRST, due_at=NOW + MINUTE)
    await save_letter(desk, FIRST)
    assert await claim_letters(desk) == []


async def test_a_letter_that_is_put_back_waits_and_remembers_how_often_it_was_tried(desk: Leases) -> None:
    await save_letter(desk, FIRST)
    await save_letter(desk, SECOND)
    await claim_letters(desk)
    await desk.letters[0].put_back([PutBack(FIRST, "receipt", 1, NOW + MINUTE), PutBack(SECOND, "receipt", 2, None)])
    assert await claim_letters(desk, 1) == [(SECOND, 2)], "not before a minute from now; as before"
    await desk.letters[1].put_back([PutBack(THIRD, "receipt", 1, None)])
    assert await claim_letters(desk, 1) == [], "a letter that is gone stays so"


async def test_who_is_late_puts_back_nothing_that_another_holds_by_now(desk: Leases) -> None:
    """The other may be sending it: put back, it would be claimed once more, and sent by two."""
    await save_letter(desk, FIRST)
    await claim_letters(desk, 0)
    await desk.pass_leases()
    assert await claim_letters(desk, 1) == [(FIRST, 0)]
    await desk.letters[0].put_back([PutBack(FIRST, "receipt", 1, None)])
    assert await claim_letters(desk, 0) == []
    await desk.letters[1].put_back([PutBack(FIRST, "receipt", 2, None)])
    assert await claim_letters(desk, 0) == [(FIRST, 2)]


async def test_who_begins_again_gives_back_their_own_letters_only(desk: Leases) -> None:
    await save_letter(desk, FIRST, due_at=NOW - 2 * MINUTE)
    await save_letter(desk, SECOND, due_at=NOW - MINUTE)
    assert await claim_letters(desk, 0, limit=1) == [(FIRST, 0)]
    assert await claim_letters(desk, 1, limit=1) == [(SECOND, 0)]
    await desk.letters[1].release_mine()
    assert await claim_letters(desk, 0) == [(SECOND, 0)]


async def test_a_letter_that_is_gone_is_not_claimed(desk: Leases) -> None:
    await save_letter(desk, FIRST)
    await drop_letter(desk, FIRST)
    assert await claim_letters(desk) == []


@pytest.mark.integration
@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_both_claim_the_same(seed: int, database: str) -> None:
    random = Random(f"leases {seed}")
    claimed, memory = 0, MemoryLeases()
    async with _real(database) as real:
        for step in range(150):
            deed = _deed(random)
            told = [await deed(desk) for desk in (memory, real)]
            assert told[0] == told[1], f"step {step}"
            claimed += len(told[0] or ())
    assert claimed > 50


def _deed(random: Random) -> Callable[[Leases], Awaitable[Any]]:
    """Draw what happens next. No two rows are due at one instant: which of them is first would be nobody's word."""
    request_id, holder, limit = UUID(int=random.randint(1, 12)), random.randrange(2), random.choice((1, 3, 100))
    due_at = NOW + timedelta(microseconds=random.randint(-(10**9), 10**8))
    back = [PutBack(request_id, "receipt", random.randint(0, 5), random.choice((None, due_at)))]

    async def pass_leases(desk: Leases) -> None:
        await desk.pass_leases()

    async def next_one(desk: Leases) -> Any:
        return [await desk.deadlines.find_next()]

    return random.choice(
        [
            lambda desk: save_deadline(desk, request_id, due_at),
            lambda desk: save_deadline(desk, request_id, due_at),
            lambda desk: drop_deadline(desk, request_id),
            lambda desk: claim_deadlines(desk, limit=limit),
            lambda desk: claim_deadlines(desk, limit=limit),
            next_one,
            lambda desk: save_letter(desk, request_id, due_at=due_at),
            lambda desk: save_letter(desk, request_id, due_at=due_at),
            lambda desk: drop_letter(desk, request_id),
            lambda desk: claim_letters(desk, holder, limit=limit),
            lambda desk: claim_letters(desk, holder, limit=limit),
            lambda desk: desk.letters[holder].put_back(back),
            lambda desk: desk.letters[holder].release_mine(),
            pass_leases,
        ]
    )
