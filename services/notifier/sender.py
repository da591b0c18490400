"""Sends the letters that are due: claims them in small sets, hands them over, tells the step what became of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar

from services.notifier.compose import Composer, Mail
from services.notifier.domain.correspondence import Correspondence
from services.notifier.domain.retry import next_try
from services.notifier.domain.step import LetterFailed, LetterSent
from services.notifier.smtp import UNANSWERED, Answer, Line, ServerAway
from services.notifier.store import Claimed, LetterStore, PutBack
from services.notifier.writer import Paper, Writer
from shared import metrics
from shared.app import App
from shared.delivery.errors import UNAVAILABLE, Unavailable
from shared.delivery.points import reach
from shared.delivery.values import Input
from shared.vault.seal import Vault

T = TypeVar("T")
SET: Final = 25
"""Most letters that a connection claims at once. At a kill, at most those in flight are sent again: SET x connections."""
_FIRST_SET: Final = 5
_SET_TAKES_SECONDS: Final = 0.25
"""What a set is sized to, by the speed of the one before: of a slow server each connection takes one letter at a time."""
LEASE: Final = timedelta(seconds=180)
SET_SECONDS: Final = 60.0
"""Past it the rest of a set is given back. With the 60 + 60 s that one mail may take it stays under the lease."""
LOOK_SECONDS: Final = 1.0
REST_SECONDS: Final = 1.0
_SILENCES: Final = 2
"""So many mails in a row whose content the server took, hanging up without an answer, are its fault and not theirs: who went on
would hand over all that waits, and all of it again."""
_LAST_TRIES: Final = 5
_AWAY_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_DATABASE_AWAY: Final[tuple[type[Exception], ...]] = (Unavailable, *UNAVAILABLE)


@dataclass(slots=True)
class _Outcomes:
    """What became of the letters of a set."""

    told: list[Input] = field(default_factory=list)
    back: list[PutBack] = field(default_factory=list)


class Sender:
    """Several connections share the letters. One of them at a time looks for work; what it claims it sends by itself."""

    def __init__(self, app: App[Correspondence], composer: Composer, vault: Vault, *, lines: list[Line], holder: str) -> None:
        self._app = app
        self._writer = Writer(app, composer, vault)
        pool, gate = app.pool, app.shell.gate
        self._lines = [(line, LetterStore(pool, gate, holder=f"{holder}/{place}")) for place, line in enumerate(lines)]
        self._turn = asyncio.Lock()
        self._woken = asyncio.Event()
        self._server_away = False
        self._outages = 0
        self._unanswered = 0
        self._stopping = False

    @property
    def loops(self) -> list[Callable[[], Awaitable[None]]]:
        """One loop per connection, each to be run for ever: if one fails, the others go on."""
        return [_Worker(self, line, store).serve for line, store in self._lines]

    def wake(self) -> None:
        """Say that letters may have become due: after a commit."""
        self._woken.set()

    async def next_set(self, line: Line, store: LetterStore, *, limit: int) -> list[Claimed]:
        """Wait until letters are due, and claim some. While the mail server is away nothing is claimed: no attempt is lost.

        Claims that an earlier run of this replica died with, or that PostgreSQL took without our knowing, are given back.
        """
        failures = 0
        certain = False
        async with self._turn:
            while True:
                await self._server_back(line)
                self._woken.clear()
                try:
                    if not certain:
                        await store.release_mine()
                    certain = True
                    if claimed := await store.claim_due(self._app.clock.now(), limit=limit, lease=LEASE):
                        reach("letter.after_claim")
                        return claimed
                    failures = 0
                except _DATABASE_AWAY as error:
                    certain = False
                    self._app.log.warning("postgresql.unavailable", error=type(error).__name__, place="letters")
                    if not isinstance(error, Unavailable):  # that is the gate, which is shut
                        metrics.UNAVAILABLE.labels("notifier", "postgresql").inc()
                    await asyncio.sleep(_AWAY_SECONDS[min(failures, 3)])
                    failures += 1
                    continue
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _server_back(self, line: Line) -> None:
        """Return when the mail server takes connections (again). Each failure since the last mail sent makes the wait longer."""
        while self._server_away:
            await asyncio.sleep(_AWAY_SECONDS[min(self._outages, len(_AWAY_SECONDS)) - 1])
            try:
                await line.connect()
            except ServerAway:
                self._outages += 1
            else:
                self._server_away = False
                reach("letter.server_back")
                self._app.log.info("smtp.back")

    async def deliver(self, line: Line, store: LetterStore, claimed: list[Claimed]) -> bool:
        """Send a set. After it every letter of it is sent, given up, or put back. Return whether the connection was lost.

        Raises what asyncpg raises when PostgreSQL is away and the service is to stop.
        """
        outcomes = _Outcomes()
        try:
            papers = await self._patiently(lambda: self._writer.gather(claimed))
            reach("letter.after_open")
            return await self._send_all(line, papers, outcomes)
        finally:
            await self._patiently(lambda: self._apply(store, outcomes))

    async def _send_all(self, line: Line, papers: list[Paper], outcomes: _Outcomes) -> bool:
        until = time.monotonic() + SET_SECONDS
        lost = False
        for paper in papers:
            one = paper.claimed
            if lost or self._stopping or self._server_away or time.monotonic() > until:
                outcomes.back.append(PutBack(one.request_id, one.name, one.attempts, None))
                continue
            try:
                mail = self._writer.write(paper)
                answer = mail if isinstance(mail, Answer) else await self._send(line, mail)
            except ServerAway as error:
                lost = True
                self._tell_away(error)
                outcomes.back.append(PutBack(one.request_id, one.name, one.attempts, None))
            else:
                self._note(paper, answer, outcomes)
                lost = self._is_silent(answer)
        return lost

    def _is_silent(self, answer: Answer) -> bool:
        """Whether the server meets one mail after the other with silence: a single one may be the fault of that mail."""
        if answer.cause != "server":
            return False
        self._unanswered = self._unanswered + 1 if answer.why == UNANSWERED else 0
        if self._unanswered < _SILENCES:
            return False
        self._tell_away(ServerAway(UNANSWERED))
        return True

    async def _send(self, line: Line, mail: Mail) -> Answer:
        reach("letter.before_send")
        answer = await line.send(mail)
        if answer.kind == "sent":
            reach("letter.after_send")
        return answer

    def _tell_away(self, error: ServerAway) -> None:
        """The server is away for all, unless another connection holds: then only this one rests (a limit of the server, say)."""
        metrics.UNAVAILABLE.labels("notifier", "smtp").inc()
        if not self._server_away:
            self._app.log.warning("smtp.unavailable", why=error.why)
            if not any(line.connected for line, _ in self._lines):
                self._server_away = True
                self._outages += 1

    def _note(self, paper: Paper, answer: Answer, outcomes: _Outcomes) -> None:
        one, attempts, now = paper.claimed, paper.claimed.attempts + 1, self._app.clock.now()
        command: LetterSent | LetterFailed | None = None
        match answer.kind:
            case "sent":
                self._outages = 0
                command = LetterSent(one.name, attempts)
            case "failed":
                command = LetterFailed(one.name, answer.why, attempts if answer.cause == "server" else one.attempts)
            case "retry":
                again = next_try(request_id=one.request_id, attempts=attempts, arose_at=paper.letter.at, now=now)
                if again is None:
                    command = LetterFailed(one.name, "out_of_tries", attempts)
                else:
                    outcomes.back.append(PutBack(one.request_id, one.name, attempts, again))
        outcome = "retried" if command is None else "sent" if isinstance(command, LetterSent) else "failed"
        metrics.MAILS.labels(outcome, answer.cause).inc()
        if command is not None:
            outcomes.told.append(Input(one.request_id, paper.known.authority, command))
        if answer.kind != "sent":
            self._app.log.info(f"letter.{outcome}", request_id=one.request_id, letter=one.name, why=answer.why, attempt=attempts)

    async def _apply(self, store: LetterStore, outcomes: _Outcomes) -> None:
        """Commit what became of the letters."""
        if outcomes.told:
            reach("letter.before_told")
            results = await self._app.shell.run(outcomes.told, lane="mail")
            reach("letter.after_told")
            for result in results:
                if result.error is not None:
                    error_id = f"letter.{result.request_id}"
                    name = type(result.error).__name__
                    self._app.log.error("letter.not_told", request_id=result.request_id, error=name, error_id=error_id)
            outcomes.told = []
        if outcomes.back:
            reach("letter.put_back")
            await store.put_back(outcomes.back)
            outcomes.back = []

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what a call gives, waiting for PostgreSQL as long as it takes: outcomes forgotten would be mails sent again."""
        failures = 0
        while True:
            try:
                return await call()
            except _DATABASE_AWAY:
                if self._stopping and failures > _LAST_TRIES:
                    raise
                await asyncio.sleep(_AWAY_SECONDS[min(failures, 2)])
                failures += 1

    def stop(self) -> None:
        """Send no further letter; what is under way is finished."""
        self._stopping = True


class _Worker:
    """The loop of one connection."""

    def __init__(self, sender: Sender, line: Line, store: LetterStore) -> None:
        self._sender = sender
        self._line = line
        self._store = store
        self._limit = _FIRST_SET

    async def serve(self) -> None:
        """Claim and send, for ever. Cancelled, it finishes the mail under way and commits what became of the set."""
        try:
            while True:
                claimed = await self._sender.next_set(self._line, self._store, limit=self._limit)
                began = time.monotonic()
                delivering = asyncio.create_task(self._sender.deliver(self._line, self._store, claimed))
                try:
                    lost = await asyncio.shield(delivering)
                except asyncio.CancelledError:
                    if delivering.cancelled():  # it was, by itself: nobody ends us
                        raise
                    self._sender.stop()
                    with suppress(*_DATABASE_AWAY):
                        await delivering
                    raise
                each = (time.monotonic() - began) / len(claimed)
                self._limit = max(1, min(SET, int(_SET_TAKES_SECONDS / max(each, 0.001))))
                if lost:  # it was refused while others hold: leave the work to them for a while
                    await asyncio.sleep(REST_SECONDS)
        finally:
            await self._line.close()
