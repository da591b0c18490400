"""Two disasters on a real town, mended by following the pages of docs/operations line by line."""

import asyncio
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx

from shared.events.topics import TOPICS
from tests.chaos.crowd import crowd
from tests.judge.gathering import gather
from tests.judge.repeats import NOTED_WITHIN
from tests.recovery.backup import back_up, find_data, put_back
from tests.recovery.operator import ESCROW_FILE, START, STOP, Operator
from tests.recovery.remains import Remains, read_remains
from tests.recovery.visitors import come_meanwhile
from tests.scene import Scene

TELLING: Final = ("intake", "router", "sla", "notifier")
"""The services that tell something, and so see that the log is ahead of them."""
WITH_ESCROW: Final = "If `AIGUILLEUR_ESCROW_PUBLIC_KEY` was set"
WITHOUT_ESCROW: Final = "If it was not"
_AWAY_SECONDS: Final = 1.0
"""How long Kafka has been away when PostgreSQL ends: what is accepted in this time is in no log."""
_ABOUT: Final = timedelta(seconds=5)
"""How much before the end of the log a request may have been accepted that is not in it, says the page."""
_LOG_ENDS: Final = re.compile(r"^the log ends at (\S+ \S+) UTC$", re.MULTILINE)
_SAID_SECONDS: Final = 30.0


@dataclass
class Outcome:
    """What a story led to, as the checker and the sink count it."""

    accepted: int = 0
    """Requests that were answered, those that are `forgotten` not counted."""
    lost: int = 0
    """Of these: requests that are nowhere."""
    mailed_twice: int = 0
    """Mails sent again though a log told of them: `mailed_again` not counted."""
    seconds: float = 0.0
    """From the first command of the page to the last."""
    events: int = 0
    """How many of them the page had published again, or taken from the log."""
    forgotten: int = 0
    """Requests that were answered, and had not reached the log when PostgreSQL ended: nothing brings them back."""
    forgotten_seconds: float = 0.0
    """How long before its end the first of them was accepted."""
    undone: int = 0
    """What else people were told that they did, and no log has."""
    mailed_again: int = 0
    """Mails of which no log had a word, sent again."""
    broken: list[str] = field(default_factory=list)


async def lose_kafka(scene: Scene, folder: Path, *, seconds: float) -> Outcome:
    """Destroy the log in the midst of the load, follow docs/operations/lose-kafka.md, and have everything checked."""
    outcome, operator = Outcome(), Operator(scene, folder)
    await scene.open()
    async with crowd(scene, rate=10):
        await asyncio.sleep(seconds)
        await asyncio.to_thread(_destroy_log, scene)
        # What is told of these in the new log before its archive is published again comes first there.
        scene.history.disordered = {(topic.name, one) for topic in TOPICS for one in scene.history.accepted}
        followed = await operator.follow("lose-kafka.md")
        outcome.seconds, outcome.events = followed.seconds, followed.events
        await asyncio.sleep(seconds)
    return await _judge(scene, outcome)


def _destroy_log(scene: Scene) -> None:
    scene.kafka.kill()
    shutil.rmtree(scene.kafka.folder / "data")
    scene.kafka.restart()


async def restore_postgresql(scene: Scene, folder: Path, *, seconds: float, escrow: bool, stopped: bool = False) -> Outcome:
    """End PostgreSQL in the midst of the load, put it back to where it was so many seconds earlier, follow the page, check all.

    `stopped`: the services are stopped before it is back; else they find it out, and it is seen that they say so and stand still.
    """
    outcome, operator = Outcome(), Operator(scene, folder)
    if escrow:
        name, _, value = (await operator.run(f"aiguilleur keys escrow-new {ESCROW_FILE}")).strip().partition("=")
        scene.town.extra[name] = value
    await scene.open()
    data = await find_data(scene.postgres)
    async with crowd(scene, rate=10) as load:
        await asyncio.sleep(seconds / 3)
        known = set(scene.history.accepted)
        await asyncio.to_thread(back_up, scene.postgres, folder / "backup")
        await _live_on(scene, seconds=seconds)
        ended_at, late = await _end(scene)
        load.stop()  # who has no answer by now insists for a while, in vain, and knows nothing
        remains = await read_remains(scene, ended_at=ended_at, late=late)
        if stopped:  # then nobody has an answer that the restored one would give
            await operator.run(STOP)
            await asyncio.to_thread(put_back, scene.postgres, folder / "backup", data)
    if not stopped:
        await asyncio.to_thread(put_back, scene.postgres, folder / "backup", data)
        await _is_said(scene, operator)
        await come_meanwhile(scene)
    mails = await asyncio.to_thread(scene.sink.mails)
    followed = await operator.follow("restore-postgresql.md", without=WITHOUT_ESCROW if escrow else WITH_ESCROW)
    outcome.seconds, outcome.events = followed.seconds, followed.events
    await _excuse_forgotten(scene, remains, outcome, mails=mails, said=followed.text)
    if not escrow:
        scene.history.unreadable = None  # the contents of the forgotten minutes
    await _keys_are_as_promised(scene, scene.history.accepted - known)
    await _stop_in_the_midst(scene, operator, seconds=seconds / 3)
    return await _judge(scene, outcome)


async def _live_on(scene: Scene, *, seconds: float) -> None:
    """Let the minutes go by that will be forgotten, until deadlines have run out, and people were erased."""
    await asyncio.sleep(seconds)
    scene.town.set_clock(scene.town.now() + timedelta(days=20), speed=1.0)
    async with asyncio.timeout(_SAID_SECONDS):
        while not (await _told(scene, "sla", "%escalation.raised%") and await _told(scene, "intake", "%request.erased%")):
            await asyncio.sleep(0.2)


async def _told(scene: Scene, service: str, what: str) -> int:
    sql = f"SELECT count(*) FROM {service}.outbox WHERE type LIKE '{what}' AND published_at IS NOT NULL"
    return int(await _ask(scene, sql))


async def _end(scene: Scene) -> tuple[datetime, datetime]:
    """Have Kafka go away, and PostgreSQL end at once a little later, while everybody goes on.

    Return when it ended, by the town's clock, and since when a mail may be in no log, by the sink's.
    """
    late = datetime.now(UTC) - NOTED_WITHIN
    await asyncio.to_thread(scene.kafka.pause)
    await asyncio.sleep(_AWAY_SECONDS)
    await asyncio.to_thread(scene.postgres.stop_at_once)
    ended_at = scene.town.now()
    await asyncio.to_thread(scene.kafka.resume)
    return ended_at, late


async def _is_said(scene: Scene, operator: Operator) -> None:
    """See that every service that told something says it, and publishes and takes nothing while it does."""
    async with asyncio.timeout(_SAID_SECONDS):
        while silent := await _silent(scene, operator):
            print(f"not said yet: {silent}", flush=True)
            await asyncio.sleep(0.2)
    before = [await _progress(scene, service) for service in TELLING]
    await asyncio.sleep(2)
    assert before == [await _progress(scene, service) for service in TELLING], "somebody goes on all the same"


async def _silent(scene: Scene, operator: Operator) -> list[str]:
    """Return who does not say, on the command line and in its metrics, that the log is ahead of its database."""
    code, output = await operator.aiguilleur("aiguilleur status")
    if code != 1 or "aiguilleur reconcile" not in output:
        return [output]
    silent: list[str] = []
    async with httpx.AsyncClient() as client:
        for service in TELLING:
            metrics = (await client.get(f"{scene.town.url(service)}/metrics")).text
            told = f"{service}: the log holds events that the database does not know" in output
            if not told or f'aiguilleur_log_ahead{{service="{service}"}} 1.0' not in metrics:
                silent.append(service)
    return silent


async def _progress(scene: Scene, service: str) -> tuple[str, str]:
    """Return how far a service has taken the log, and how much it has published."""
    taken = await _ask(scene, f"SELECT sum(next_offset) FROM {service}.position")  # a service's own schema
    return taken, await _ask(scene, f"SELECT count(*) FROM {service}.outbox WHERE published_at IS NOT NULL")


async def _excuse_forgotten(
    scene: Scene, remains: Remains, outcome: Outcome, *, mails: Iterable[Mapping[str, Any]], said: str
) -> None:
    """Take out of the history what is nowhere any more, count it, and note what is not as the page says: within which time."""
    log = (await gather(scene.kafka.bootstrap, scene.town.admin_dsn, ())).log
    remains.forget(log)
    accepted = {one: at for one, at in remains.accepted.items() if one in scene.history.accepted}
    outcome.forgotten = len(accepted)
    outcome.forgotten_seconds = max(((remains.ended_at - at).total_seconds() for at in accepted.values()), default=0.0)
    told = _LOG_ENDS.search(said)
    assert told is not None, said
    end = datetime.fromisoformat(told.group(1)).replace(tzinfo=UTC)
    last = max(one.instant() for one in log if one.name == "received" and one.instant() <= remains.ended_at)
    if last >= end + timedelta(seconds=1):
        outcome.broken.append(f"said: the log ends at {end}, and has a request of {last}")
    for one, at in accepted.items():
        if not end - _ABOUT <= at <= remains.ended_at:
            outcome.broken.append(f"said: {one}, which is nowhere, was accepted at {at}; the log is said to end at {end}")
    outcome.undone = remains.excuse(scene.history, mails)


async def _keys_are_as_promised(scene: Scene, forgotten: set[UUID]) -> None:
    """See that each request of the forgotten minutes has a key, but those that were erased, and that no erased one has."""
    rows = await _rows(scene, "SELECT request_id FROM vault.request_key")
    erased = await _rows(scene, "SELECT request_id FROM intake.outbox WHERE type = 'fr.aiguilleur.request.erased.v1'")
    assert not rows & erased, "an erased key came back"
    assert forgotten, "nobody wrote in the forgotten minutes"
    assert forgotten - erased <= rows, "a request has no key"


async def _stop_in_the_midst(scene: Scene, operator: Operator, *, seconds: float) -> None:
    """See that services that are stopped in the midst of the load leave nothing that the log lacks, or the database."""
    async with crowd(scene, rate=10):
        await asyncio.sleep(seconds)
        await operator.run(STOP)
        for service in TELLING:
            left = int(await _ask(scene, f"SELECT count(*) FROM {service}.outbox WHERE published_at IS NULL"))
            assert left == 0, f"{service} was stopped, and left {left} events that are not published"
        assert "the database knows all that the log holds" in await operator.run("aiguilleur reconcile")
        await operator.run(START)


async def _judge(scene: Scene, outcome: Outcome) -> Outcome:
    evidence, broken = await scene.heal_and_look()
    outcome.broken += broken
    outcome.accepted = len(scene.history.accepted)
    outcome.lost = sum(line.startswith("1 lost") for line in broken)
    again = Counter({name: count - 1 for name, count in evidence.message_ids.items() if count > 1})
    outcome.mailed_again = (again & (scene.history.unnoted or Counter())).total()
    outcome.mailed_twice = again.total() - outcome.mailed_again
    return outcome


async def _ask(scene: Scene, statement: str) -> str:
    database = await asyncpg.connect(scene.town.admin_dsn)
    try:
        return await database.fetchval(statement)  # type: ignore[no-any-return]  # a number or a text
    finally:
        await database.close()


async def _rows(scene: Scene, statement: str) -> set[UUID]:
    database = await asyncpg.connect(scene.town.admin_dsn)
    try:
        return {row[0] for row in await database.fetch(statement)}
    finally:
        await database.close()
