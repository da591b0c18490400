"""Usagers: they write over several channels, repeat themselves, add, withdraw, reopen, erase."""

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from services.intake.domain.command import AddInformation, AskReopening, Withdraw
from services.intake.domain.refusal import Refused
from services.intake.domain.request import TrackedRequest
from services.intake.erase import erasing
from services.intake.submission import Invalid
from shared.delivery.core import DigestMismatch
from shared.delivery.errors import Unavailable
from shared.delivery.values import Input, Result, Ticket
from shared.events.inbound import RequestSubmitted, Submission
from tests.judge.evidence import Act
from tests.simulation.scheduler import DAY, HOUR, MINUTE, SECOND, pause

if TYPE_CHECKING:
    from tests.simulation.world import World

Wish = Literal["add", "withdraw", "reopen"]
Way = Literal["web", "api", "api_without_key", "adapter"]
_ENVELOPE = (("ce_specversion", b"1.0"), ("ce_type", RequestSubmitted.type_.encode()), ("content-type", b"application/json"))
TRIES = 6


@dataclass(slots=True)
class Usager:
    """One usager and their one request. Everything they do is drawn from a stream of their own."""

    world: "World"
    number: int
    random: Random
    request_id: UUID | None = None
    authority: str = "rivemont"

    @property
    def name(self) -> str:
        """How a story calls them."""
        return f"usager {self.number}"

    async def live(self) -> None:
        """Write, then do what usagers do."""
        random, world = self.random, self.world
        await pause(int(random.random() * world.spread))
        way: Way = random.choices(("web", "api", "api_without_key", "adapter"), (6, 3, 1, 2))[0]
        if random.random() < 0.02:
            await self._write_badly()
        address = random.choices(("good", "none", "refused", "slow"), (80, 5, 5, 10))[0]
        if way == "adapter":
            await self._hand_over(address)
        else:
            await self._post(way, address)
        if self.request_id is None:
            return
        for _ in range(random.choices((0, 1, 2, 4), (55, 25, 15, 5))[0]):
            await pause(int(random.expovariate(1) * random.choice((MINUTE, 3 * HOUR, 2 * DAY))))
            if world.over:
                return
            await self._act()

    # --- the request -------------------------------------------------------------------------------------------------

    async def _post(self, way: Way, address: str) -> None:
        """Post a request; without an answer, post it again under the same key, or give up."""
        world, random = self.world, self.random
        submission = random.choice(world.submissions.good)
        self.authority = submission.authority
        key = None if way == "api_without_key" else f"key-{world.seed}-{self.number}"
        repeats = 1 if key and random.random() < 0.1 else 0
        unknown = False
        for _ in range(TRIES):
            result = await self._once(submission, way, key)
            if result is not None and result.error is None:
                self._accepted(result.request_id, address, f"posts a request ({way}, {result.kind})")
                break
            unknown |= result is None or isinstance(result.error, Unavailable)
            if key is None or (result is not None and not isinstance(result.error, Unavailable)):
                break
            await pause(int(random.expovariate(1) * random.choice((2 * SECOND, 5 * MINUTE))))
        if self.request_id is None:
            world.history.unknown += unknown
            world.count("gave up a post")
            return
        for _ in range(repeats):
            await self._repeat(submission, way, key)

    async def _repeat(self, submission: Submission, way: Way, key: str | None) -> None:
        """Send the same once more, or another content under the same key."""
        other = self.random.random() < 0.3
        again = submission.model_copy(update={"text": "Autre chose."}) if other else submission
        result = await self._once(again, way, key)
        self.world.count("reused a key for something else" if other else "repeated a post")
        if result is None or isinstance(result.error, Unavailable):
            return
        if other and not isinstance(result.error, DigestMismatch):
            self.world.violate(f"1 repeated: {self.name} used a key twice for different contents and was told {result}")
        if not other and (result.error is not None or result.request_id != self.request_id):
            self.world.violate(f"1 repeated: {self.name} sent the same twice and was told {result}")

    async def _once(self, submission: Submission, way: str, key: str | None) -> Result[Any] | None:
        process = self.world.any_of("intake", self.random)
        if process is None or process.acceptance is None:
            return Result("failed", UUID(int=0), error=Unavailable("nobody listens"))
        ticket = process.acceptance.ticket(submission, source=f"http/{way}", id=key) if key else None
        one = process.acceptance.input_for(submission, ticket)
        self.world.born.add(one.request_id)
        return await self.world.ask(process, one)

    async def _write_badly(self) -> None:
        process = self.world.any_of("intake", self.random)
        if process is None or process.acceptance is None:
            return
        try:
            process.acceptance.input_for(self.random.choice(self.world.submissions.bad))
        except Invalid:
            self.world.count("wrote badly")
        else:
            self.world.violate("1 refused: a bad submission was taken")

    async def _hand_over(self, address: str) -> None:
        """Write through an adapter, which may hand the same over twice."""
        world, random = self.world, self.random
        place = random.randrange(len(world.submissions.records))
        name = f"{world.seed}-{self.number}"
        headers = (*_ENVELOPE, ("ce_source", b"/adapter/mastodon"), ("ce_id", name.encode()))
        key = name.encode()
        world.log.append("intake.inbound.v1", key, headers, world.submissions.records[place])
        world.adapted[name] = world.log.lives
        world.note(f"{self.name} writes through an adapter", None)
        world.count("handed over by an adapter")
        if random.random() < 0.2:
            await pause(int(random.random() * HOUR))
            world.log.append("intake.inbound.v1", key, headers, world.submissions.records[place])
            world.adapted[name] = world.log.lives
            world.count("handed over twice")
        intake = world.groups["intake"]
        for _ in range(TRIES):
            await pause(int((1 + random.random()) * 10 * MINUTE))
            taken = intake.tables.inbox.get(("/adapter/mastodon", name))
            if taken is not None:
                self.authority = intake.tables.requests[taken[1]].authority
                self._accepted(taken[1], address, "has a request through an adapter")
                return

    def _accepted(self, request_id: UUID, address: str, what: str) -> None:
        self.request_id = request_id
        self.world.accepted(request_id, address)
        self.world.note(f"{self.name} {what}", request_id)

    # --- what follows ------------------------------------------------------------------------------------------------

    async def _act(self) -> None:
        what: Wish | Literal["erase"] = self.random.choices(("add", "withdraw", "reopen", "erase"), (50, 12, 23, 15))[0]
        assert self.request_id is not None, "only who has a request acts on it"
        if what == "erase":
            await self._erase(self.request_id)
        else:
            await self._page(self.request_id, what)

    async def _page(self, request_id: UUID, what: Wish) -> None:
        """Press a button of the tracking page: once, however often it takes; sometimes twice."""
        world, random = self.world, self.random
        ticket = Ticket(f"page/{request_id}", f"{self.number}-{random.random()}", what.encode())
        unknown = False
        outcome: Literal["done", "refused", "unknown"] = "unknown"
        told = ""
        clicks = 2 if random.random() < 0.1 else 1
        for _ in range(TRIES):
            if request_id not in world.vault.keys:
                told = "erased"
                outcome = "unknown" if unknown else "refused"
                break
            before = world.groups["intake"].tables.state(request_id)
            result = await world.ask(world.any_of("intake", random), self._command(request_id, what, ticket))
            if result is None or isinstance(result.error, Unavailable):
                unknown = True
                await pause(int(random.expovariate(1) * random.choice((2 * SECOND, 5 * MINUTE))))
                continue
            told = str(result.error or result.kind)
            outcome = "done" if result.error is None else ("unknown" if unknown else "refused")
            if isinstance(result.error, Refused):
                self._look_at(result.error.why, before, what)
            elif result.error is not None:
                world.violate(f"1 refused: {self.name} wants to {what} and is told {result.error!r}")
            clicks -= 1
            if clicks == 0 or result.error is not None:
                break
            world.count("clicked twice")
        acts = world.history.acts
        assert acts is not None, "the world counts acts"
        acts.append(Act(request_id, what, outcome, told))
        world.count(f"usager: {what} {outcome}")
        world.note(f"{self.name} wants to {what}: {outcome} {told}", request_id)

    def _look_at(self, why: str, before: TrackedRequest | None, what: Wish) -> None:
        """A refusal is explained by the request as intake knows it; where that changed meanwhile it is not looked at."""
        assert self.request_id is not None, "only who has a request acts on it"
        known = self.world.groups["intake"].tables.state(self.request_id)
        if known is not None and known == before and not may_refuse(known, what, why):
            self.world.violate(f"acts: {self.request_id}: the wish to {what} was refused as {why}, it is {known.status}")

    def _command(self, request_id: UUID, what: str, ticket: Ticket) -> Input:
        sealed = self.world.vault.seal(request_id)
        command = {"add": AddInformation(sealed), "withdraw": Withdraw(), "reopen": AskReopening(sealed)}[what]
        return Input(request_id, self.authority, command, ticket=ticket)

    async def _erase(self, request_id: UUID) -> None:
        world = self.world
        for _ in range(TRIES):
            result = await world.ask(world.any_of("intake", self.random), erasing(request_id, self.authority))
            if result is not None and result.error is None:
                world.history.note_erasure(request_id, "done")
                world.count("usager: erase done")
                world.note(f"{self.name} erases the request", request_id)
                if request_id in world.vault.keys:
                    world.violate(f"11 erased: the key of {request_id} is still there after the answer")
                return
            await pause(int(self.random.expovariate(1) * MINUTE))
        world.history.note_erasure(request_id, "unknown")
        world.count("usager: erase unknown")


def may_refuse(known: TrackedRequest, what: Wish, why: str) -> bool:
    """Tell whether a request in this state may refuse its usager a wish so."""
    match why:
        case "withdrawn" | "erased":
            return known.status == why
        case "resolved":
            return what != "reopen" and known.status == why
        case "not_settled":
            return what == "reopen" and known.status not in ("answered", "resolved", "withdrawn", "erased")
        case "withdrawal_pending":
            return what == "withdraw" and known.withdrawal_pending
        case "reopening_pending":
            return what == "reopen" and known.reopening_pending
        case _:
            return False
