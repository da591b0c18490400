"""Sends the letters that are due: claims them in small sets, hands them over, tells the step what became of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

from services.notifier.compose import Composer, Mail, Undeliverable
from services.notifier.domain.correspondence import Correspondence, Letter
from services.notifier.domain.retry import next_try
from services.notifier.domain.step import LetterFailed, LetterSent
from services.notifier.smtp import Answer, Line, ServerAway
from services.notifier.store import Claimed, LetterStore, PutBack
from shared import metrics
from shared.app import App
from shared.delivery.core import describe
from shared.delivery.errors import UNAVAILABLE, Unavailable
from shared.delivery.points import reach
from shared.delivery.values import Input
from shared.organisation import UnknownCode
from shared.vault.seal import RequestKey, Unreadable, Vault

T = TypeVar("T")
SET: Final = 25
"""Letters claimed at once by a connection. At a kill, at most those in flight are sent again: SET x connections."""
LEASE: Final = timedelta(seconds=180)
SET_SECONDS: Final = 60.0
"""Past it the rest of a set is given back. With the 60 + 60 s that one mail may take it stays under the lease."""
LOOK_SECONDS: Final = 1.0
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
        self._composer = composer
        self._vault = vault
        self._lines = [(line, LetterStore(app.pool, holder=f"{holder}/{place}")) for place, line in enumerate(lines)]
        self._turn = asyncio.Lock()
        self._woken = asyncio.Event()
        self._server_away = False
        self._outages = 0
        self._stopping = False

    @property
    def loops(self) -> list[Callable[[], Awaitable[None]]]:
        """One loop per connection, each to be run for ever: if one fails, the others go on."""
        return [_Worker(self, line, store).serve for line, store in self._lines]

    def wake(self) -> None:
        """Say that letters may have become due: after a commit."""
        self._woken.set()

    async def next_set(self, line: Line, store: LetterStore) -> list[Claimed]:
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
                    if claimed := await store.claim_due(self._app.clock.now(), limit=SET, lease=LEASE):
                        return claimed
                    failures = 0
                except _DATABASE_AWAY as error:
                    certain = False
                    self._app.log.warning("postgresql.unavailable", error=type(error).__name__, place="letters")
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
                self._app.log.info("smtp.back")

    async def deliver(self, line: Line, store: LetterStore, claimed: list[Claimed]) -> None:
        """Send a set. After it every letter of it is sent, given up, or put back."""
        outcomes = _Outcomes()
        try:
            states, keys = await self._patiently(lambda: self._load(store, claimed))
            await self._send_all(line, claimed, states, keys, outcomes)
        finally:
            await self._patiently(lambda: self._apply(store, outcomes))

    async def _send_all(
        self,
        line: Line,
        claimed: list[Claimed],
        states: dict[UUID, Correspondence | None],
        keys: dict[UUID, bytes],
        outcomes: _Outcomes,
    ) -> None:
        until = time.monotonic() + SET_SECONDS
        for one in claimed:
            known = states.get(one.request_id)
            letter = known.due_letters.get(one.name) if known else None
            if known is None or letter is None:
                continue  # sent or erased meanwhile: its row is gone
            if self._stopping or self._server_away or time.monotonic() > until:
                outcomes.back.append(PutBack(one.request_id, one.name, one.attempts, None))
                continue
            try:
                mail = self._compose(one, letter, known, keys)
                answer = mail if isinstance(mail, Answer) else await self._send(line, mail)
            except ServerAway as error:
                self._tell_away(error)
                outcomes.back.append(PutBack(one.request_id, one.name, one.attempts, None))
                continue
            self._note(one, letter, known, answer, outcomes)

    async def _load(
        self, store: LetterStore, claimed: list[Claimed]
    ) -> tuple[dict[UUID, Correspondence | None], dict[UUID, bytes]]:
        ids = {one.request_id for one in claimed}
        async with self._app.pool.acquire() as connection:
            known = await self._app.shell.store.load(connection, ids, lock=False)
            keys = await store.find_wrapped_keys(connection, ids)
        return {request_id: one.state for request_id, one in known.items()}, keys

    def _compose(self, one: Claimed, letter: Letter, known: Correspondence, keys: dict[UUID, bytes]) -> Mail | Answer:
        """Return the mail, or why there is none."""
        wrapped = keys.get(one.request_id)
        if wrapped is None:
            return Answer("failed", "erased")
        try:
            return self._composer.compose(
                one.name,
                letter,
                known,
                request_id=one.request_id,
                authority=self._app.authority(known.authority),
                key=self._unwrap(one.request_id, wrapped),
                now=self._app.clock.now(),
            )
        except Undeliverable as error:
            return Answer("failed", error.why)
        except Unreadable:
            return self._fault(one, "key_not_configured")
        except UnknownCode:
            return self._fault(one, "authority_not_configured")
        except Exception as error:  # a fault of ours in one letter: the others go on, and this one waits for a new version
            return self._fault(one, describe(error))

    def _unwrap(self, request_id: UUID, wrapped: bytes) -> RequestKey:
        return self._vault.unwrap(request_id, wrapped)

    def _fault(self, one: Claimed, why: str) -> Answer:
        error_id = f"{one.name}.{one.request_id}"
        self._app.log.error("letter.not_composed", request_id=one.request_id, letter=one.name, why=why, error_id=error_id)
        return Answer("retry", "not_composed")

    async def _send(self, line: Line, mail: Mail) -> Answer:
        reach("letter.before_send")
        answer = await line.send(mail)
        if answer.kind == "sent":
            reach("letter.after_send")
        return answer

    def _tell_away(self, error: ServerAway) -> None:
        if not self._server_away:
            self._server_away = True
            self._outages += 1
            metrics.UNAVAILABLE.labels("notifier", "smtp").inc()
            self._app.log.warning("smtp.unavailable", why=error.why)

    def _note(self, one: Claimed, letter: Letter, known: Correspondence, answer: Answer, outcomes: _Outcomes) -> None:
        attempts, now = one.attempts + 1, self._app.clock.now()
        command: LetterSent | LetterFailed | None = None
        match answer.kind:
            case "sent":
                self._outages = 0
                command = LetterSent(one.name, attempts)
            case "failed":
                tried = attempts if answer.why in ("refused", "address_not_supported") else one.attempts
                command = LetterFailed(one.name, answer.why, tried)
            case "retry":
                again = next_try(request_id=one.request_id, attempts=attempts, arose_at=letter.at, now=now)
                if again is None:
                    command = LetterFailed(one.name, "out_of_tries", attempts)
                else:
                    outcomes.back.append(PutBack(one.request_id, one.name, attempts, again))
        outcome = {LetterSent: "sent", LetterFailed: "failed"}.get(type(command), "retried")
        metrics.MAILS.labels(outcome).inc()
        if command is not None:
            outcomes.told.append(Input(one.request_id, known.authority, command))
        if answer.kind != "sent":
            self._app.log.info(f"letter.{outcome}", request_id=one.request_id, letter=one.name, why=answer.why, attempt=attempts)

    async def _apply(self, store: LetterStore, outcomes: _Outcomes) -> None:
        """Commit what became of the letters."""
        if outcomes.told:
            results = await self._app.shell.run(outcomes.told, lane="mail")
            for result in results:
                if result.error is not None:
                    error_id = f"letter.{result.request_id}"
                    name = type(result.error).__name__
                    self._app.log.error("letter.not_told", request_id=result.request_id, error=name, error_id=error_id)
            outcomes.told = []
        if outcomes.back:
            await store.put_back(outcomes.back)
            outcomes.back = []

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what a call gives, waiting for PostgreSQL as long as it takes: outcomes forgotten would be mails sent again."""
        failures = 0
        while True:
            try:
                return await call()
            except _DATABASE_AWAY:
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

    async def serve(self) -> None:
        """Claim and send, for ever. Cancelled, it finishes the mail under way and commits what became of the set."""
        try:
            while True:
                claimed = await self._sender.next_set(self._line, self._store)
                delivering = asyncio.create_task(self._sender.deliver(self._line, self._store, claimed))
                try:
                    await asyncio.shield(delivering)
                except asyncio.CancelledError:
                    self._sender.stop()
                    await delivering
                    raise
        finally:
            await self._line.close()
