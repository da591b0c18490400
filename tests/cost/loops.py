"""What the loops beside the batches cost on the wire: a set of the relay, a tick that fires, a set of letters."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from services.notifier.compose import Mail
from services.notifier.sender import SET, Sender
from services.notifier.settings import MailServer
from services.notifier.smtp import Answer, Line
from services.notifier.store import LetterStore
from services.sla.ticks import Ticker
from shared.clock import FileClock, SystemClock
from shared.delivery.producer import Producer, Publishable
from shared.delivery.relay import Relay
from shared.vault.seal import Vault
from tests.cost.bench import Bench
from tests.notifier.conftest import KEYS, Office, composer

_PAST_THE_WARNING = timedelta(days=6)
"""Of the promise that tests/figures/load.py gives: it warns after five days and is due after seven."""
_FILE_SECONDS = 0.05
"""The clock looks at its file again after 20 ms."""
_WARNINGS = "SELECT count(*) FROM sla.outbox WHERE type = 'fr.aiguilleur.escalation.warned.v1'"


class _Taken(Producer):
    """Says that Kafka has every record."""

    async def send(self, records: Sequence[Publishable]) -> None:
        pass


class _Told(Line):
    """A mail server that always gives the same answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(MailServer("127.0.0.1", 9, "smtp", None, None), name="cost")
        self._answer = answer

    async def send(self, mail: Mail) -> Answer:
        return self._answer


async def published(bench: Bench, size: int) -> dict[str, int]:
    """Let the router's relay publish what a batch left, as one set: claim, send, mark; then look at an empty outbox."""
    app = bench.apps["router"]
    relay = Relay("router", dsn=app.settings.database.get_secret_value(), pool=app.pool, producer=_Taken("", client_id="cost"))

    async def publish() -> None:
        async with app.pool.acquire() as connection:
            await relay._publish_set(connection)  # type: ignore[arg-type]  # one of the pool does as well as the relay's own

    cost = await bench.cost("router", f"relay of {size} received", publish)
    left = await bench.admin.fetchval("SELECT count(*) FROM router.outbox WHERE published_at IS NULL")
    assert left == 0, f"{left} rows were not published"
    return cost | await bench.cost("router", "relay with nothing to do", publish)


async def fired(bench: Bench, size: int) -> dict[str, int]:
    """Let the ticker fire the warnings of a batch; then look when nothing is due."""
    ticker = Ticker(bench.apps["sla"])
    idle = await bench.cost("sla", "tick with nothing due", ticker.fire_due)
    await _show(bench.clock_file, _PAST_THE_WARNING)
    before = await bench.admin.fetchval(_WARNINGS)
    cost = await bench.cost("sla", f"tick that fires {size}", ticker.fire_due)
    assert await bench.admin.fetchval(_WARNINGS) == before + size, f"not {size} were warned of"
    await _show(bench.clock_file, timedelta())
    return idle | cost


async def _show(path: Path, ahead: timedelta) -> None:
    FileClock.write(path, shown=SystemClock().now() + ahead, speed=1.0)
    await asyncio.sleep(_FILE_SECONDS)


async def mailed(bench: Bench, size: int) -> dict[str, int]:
    """Let a connection claim and send a set of letters, as many as were received but for the most of a set; then put one off."""
    letters = min(size, SET)
    written = await _given_letters(bench, letters)
    cost = await _sent(bench, f"letters sent, set of {letters}", _Told(Answer("sent")), letters)
    left = await bench.admin.fetchval("SELECT count(*) FROM notifier.letter")
    assert left == 0, f"{left} letters were not sent"
    written += await _given_letters(bench, letters)
    cost |= await _sent(bench, f"letters put off, set of {letters}", _Told(Answer("retry")), letters)
    left = await bench.admin.fetchval("SELECT count(*) FROM notifier.letter WHERE attempts = 1 AND leased_by IS NULL")
    assert left == letters, f"{left} of {letters} letters were put off"
    await bench.admin.execute("DELETE FROM notifier.request WHERE request_id = ANY($1::uuid[])", written)
    return cost


async def _given_letters(bench: Bench, count: int) -> list[UUID]:
    """Leave the receipts of so many new requests to be sent, and nothing else; return the requests."""
    app = bench.apps["notifier"]
    await bench.admin.execute("TRUNCATE notifier.letter")
    office = Office(app, bench.admin_dsn, bench.clock_file.parent, app.settings, Vault.from_text(KEYS))  # type: ignore[arg-type]
    stories = [office.story() for _ in range(count)]
    await office.store_keys(*stories)
    await office.tell(*(story.received() for story in stories))
    return [story.request_id for story in stories]


async def _sent(bench: Bench, what: str, line: Line, letters: int) -> dict[str, int]:
    app = bench.apps["notifier"]
    sender = Sender(app, composer(), Vault.from_text(KEYS), lines=[line], holder="cost")
    store = LetterStore(app.pool, app.shell.gate, holder="cost/0")

    async def send() -> None:
        claimed = await sender.next_set(line, store, limit=letters)
        assert len(claimed) == letters, f"{len(claimed)} of {letters} letters were claimed"
        await sender.deliver(line, store, claimed)

    return await bench.cost("notifier", what, send)
