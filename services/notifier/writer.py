"""Gathers what claimed letters are written from, and writes each: a letter that cannot be written never stops the others."""

from typing import NamedTuple

from services.notifier.compose import Composer, Mail, Undeliverable
from services.notifier.domain.correspondence import Correspondence, Letter
from services.notifier.smtp import Answer
from services.notifier.store import Claimed, find_wrapped_keys
from shared.app import App
from shared.delivery.core import describe
from shared.organisation import UnknownCode
from shared.vault.seal import Unreadable, Vault


class Paper(NamedTuple):
    """A claimed letter with all that is known of its request. `wrapped`: the request's key; None once it was destroyed."""

    claimed: Claimed
    letter: Letter
    known: Correspondence
    wrapped: bytes | None


class Writer:
    """From claimed letters to mails."""

    def __init__(self, app: App[Correspondence], composer: Composer, vault: Vault) -> None:
        self._app = app
        self._composer = composer
        self._vault = vault

    async def gather(self, claimed: list[Claimed]) -> list[Paper]:
        """Return the claimed letters that are still to be sent, with two queries. Raises what asyncpg raises when it is away."""
        ids = {one.request_id for one in claimed}
        async with self._app.pool.acquire() as connection:
            found = await self._app.shell.store.load(connection, ids, lock=False)
            keys = await find_wrapped_keys(connection, ids)
        papers = []
        for one in claimed:
            known = found[one.request_id].state if one.request_id in found else None
            letter = known.due_letters.get(one.name) if known else None
            if known is not None and letter is not None:  # else sent or erased meanwhile, and its row is gone
                papers.append(Paper(one, letter, known, keys.get(one.request_id)))
        return papers

    def write(self, paper: Paper) -> Mail | Answer:
        """Return the mail, or why there is none: for good, or for as long as a fault of ours is not mended."""
        one = paper.claimed
        if paper.wrapped is None:
            return Answer("failed", "erased", cause="letter")
        try:
            return self._composer.compose(
                one.name,
                paper.letter,
                paper.known,
                request_id=one.request_id,
                authority=self._app.authority(paper.known.authority),
                key=self._vault.unwrap(one.request_id, paper.wrapped),
                now=self._app.clock.now(),
            )
        except Undeliverable as error:
            return Answer("failed", error.why, cause="letter")
        except Unreadable:
            return self._fault(one, "key_not_configured")
        except UnknownCode:
            return self._fault(one, "authority_not_configured")
        except Exception as error:  # a fault of ours in one letter: the others go on, and this one waits for a new version
            return self._fault(one, describe(error))

    def _fault(self, one: Claimed, why: str) -> Answer:
        error_id = f"{one.name}.{one.request_id}"
        self._app.log.error("letter.not_composed", request_id=one.request_id, letter=one.name, why=why, error_id=error_id)
        return Answer("retry", "not_composed", cause="fault")
