"""The notifier's sending: the shipped Sender between letters in memory and a mail server in memory."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from services.notifier.sender import LEASE, SET, Sender
from services.notifier.smtp import Answer
from services.notifier.store import Claimed
from services.notifier.writer import Paper
from shared.delivery.errors import UNAVAILABLE, Unavailable
from tests.simulation.agenda import Letters
from tests.simulation.mail import Envelope, Line
from tests.simulation.rows import Key
from tests.simulation.scheduler import MINUTE, SECOND, Killed, instant, pause

if TYPE_CHECKING:
    from tests.simulation.process import Process

T = TypeVar("T")
CONNECTIONS = 2
LONGEST: Final = 10 * MINUTE
"""How long a sender waits at most before it looks whether the mail server is back."""
AWAY: Final[tuple[type[Exception], ...]] = (Unavailable, *UNAVAILABLE)


class MemoryWriter:
    """From claimed letters to envelopes. As the Writer, but that nothing is composed."""

    def __init__(self, process: "Process") -> None:
        self._process = process
        self._opened: dict[Key, datetime] = {}

    async def gather(self, claimed: list[Claimed]) -> list[Paper]:
        """Return the claimed letters that are still to be sent, with the keys of their requests."""
        async with self._process.pool.acquire():
            return list(self._open(claimed))

    def _open(self, claimed: list[Claimed]) -> Iterator[Paper]:
        tables, keys = self._process.group.tables, self._process.world.vault.keys
        now = instant(self._process.world.scheduler.now)
        for one in claimed:
            known = tables.state(one.request_id)
            letter = known.due_letters.get(one.name) if known else None
            if known is not None and letter is not None:
                self._opened[one.request_id, one.name] = now
                yield Paper(one, letter, known, keys.get(one.request_id))

    def write(self, paper: Paper) -> Envelope | Answer:
        """Return the mail, or why there is none."""
        if paper.wrapped is None:
            return Answer("failed", "erased", cause="letter")
        mail = self._process.world.mail.address(paper, self._process.organisation.current, self._process.now())
        opened_at = self._opened[paper.claimed.request_id, paper.claimed.name]
        return mail._replace(opened_at=opened_at) if isinstance(mail, Envelope) else mail


class MemorySender(Sender):
    """The Sender of one process; it waits by the scheduler."""

    def __init__(self, process: "Process") -> None:
        app: Any = SimpleNamespace(shell=process.shell, clock=process, log=process.log, pool=process.pool)
        super().__init__(app, None, None, lines=[], holder=process.name)  # type: ignore[arg-type]  # neither composes nor opens
        self._writer = MemoryWriter(process)  # type: ignore[assignment]  # stands for the writer
        self._process = process

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        failures = 0
        while True:
            if not self._process.alive:
                raise Killed
            try:
                return await call()
            except AWAY:
                await pause(SECOND * (1, 2, 5)[min(failures, 2)])
                failures += 1

    async def serve(self, number: int) -> None:
        """Claim and send, for ever, over one connection."""
        process, world = self._process, self._process.world
        holder = f"{process.name}/{number}"
        store = Letters(process.pool, world.letters, world.rows.letter, holder=holder)
        line = Line(process)
        certain = False
        while True:
            while self._server_away:
                left = min(max(0, world.mail.away_until - world.scheduler.now), LONGEST)
                await pause(left + int(SECOND * (1 + 30 * process.random.random())))
                self._server_away = world.mail.is_away
            try:
                if not certain:
                    await store.release_mine()
                certain = True
                limit = process.random.choice((1, 5, SET))
                claimed = await store.claim_due(process.now(), limit=limit, lease=LEASE)
                line.leased_until = store.leased_until
            except AWAY:
                certain = False
                await pause(int(SECOND * (0.5 + process.random.random())))
                continue
            if not claimed:
                await pause(self._until_next())
                continue
            if world.slow:
                await pause(min(world.delay(process.random), 30 * SECOND))
            await self.deliver(line, store, claimed)  # type: ignore[arg-type]  # both stand for the shipped ones
            line.noted()

    def _until_next(self) -> int | None:
        due, leased = self._process.world.letters.next()
        now = self._process.world.scheduler.now
        waits = [max(0, due - now - self._process.skew)] if due is not None else []
        if leased is not None:
            waits.append(leased - now)
        return max(0, min(waits)) + SECOND if waits else None
