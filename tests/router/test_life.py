"""What always holds of a request's life, whatever happens to it in whatever order."""

from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import hypothesis.strategies as some
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deploy.local.town import ORGANISATION
from services.router.domain.act import Act
from services.router.domain.life import OPEN, TRANSITIONS, Life, Move
from services.router.domain.step import evolve
from services.router.service import ROUTER
from shared.delivery.core import Core
from shared.delivery.service import Context
from shared.delivery.values import Input, Known, Ticket
from shared.events import handling, requests
from shared.events.handling import Action
from shared.organisation import load
from tests.router.conftest import MONDAY, REQUEST, received

RIVEMONT = load(ORGANISATION).authority("rivemont")
SERVICES = ("voirie", "voirie", "culture", "accueil", "no-such-service", None)
MAILBOXES = (*["owner"] * 40, *[None] * 10, *(service.mailbox for service in RIVEMONT.services.values()), "x@y.fr")
BEFORE_CULTURE_CLOSED = MONDAY - timedelta(days=325)
MOVE_OF: dict[type[Any], Move] = {
    handling.TakenInCharge: "take_charge",
    handling.UsagerAsked: "ask",
    handling.UsagerReplied: "add",
    handling.RequestAnswered: "answer",
    handling.RequestTransferred: "transfer",
    handling.RequestResolved: "resolve",
    handling.RequestReopened: "reopen",
    handling.RequestWithdrawn: "withdraw",
    handling.RequestForgotten: "erase",
}
ACTS = some.tuples(
    some.sampled_from(get_args(Action)),
    some.sampled_from([None, 0, 0, 0, 0, 0, 1, 2]),
    some.sampled_from(MAILBOXES),
    some.sampled_from(("voirie", "voirie", "culture", "accueil", None)),
    some.sampled_from(["VEVYVA", "VEVYVA", "VEVYVA", None]),
)
"""Action, how many versions behind, mailbox, target of a transfer, text."""
FACTS = (requests.InformationAdded, requests.WithdrawalAsked, requests.ReopeningAsked, requests.RequestErased)


class Lives(RuleBasedStateMachine):
    """One request in the core of the shell as shipped, with every kind of input, again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.core: Core[Life] = Core(ROUTER)
        self.known: dict[UUID, Known[Life]] = {}
        self.taken: dict[tuple[str, str], tuple[bytes | None, UUID]] = {}
        self.inputs: list[Input] = []
        self.log: list[Any] = []
        self.now = MONDAY
        self.sequence = 0

    def _fold(self, one: Input) -> Any:
        context = Context(self.now, RIVEMONT, REQUEST)
        folded = self.core.fold([one], self.known, self.taken, lambda _code, _id: context)
        (result,) = folded.results
        for saved in folded.saved:
            state = self.core.codec.decode(saved.state)
            self.known[REQUEST] = Known(state, saved.revision, list(saved.seen), list(saved.sent))
        self.taken |= {(ticket.source, ticket.id): (ticket.digest, REQUEST) for ticket, _ in folded.tickets}
        return result

    def _take(self, one: Input) -> None:
        before = self._life()
        result = self._fold(one)
        assert result.kind == "done", result
        self.inputs.append(one)
        self.log += [one.event] if one.fact else []
        self.log += result.events
        if before is not None:
            self._check_each_step(before, result.events)

    def _life(self) -> Life | None:
        return self.known[REQUEST].state if REQUEST in self.known else None

    @staticmethod
    def _check_each_step(life: Life, events: tuple[Any, ...]) -> None:
        for event in events:
            if isinstance(event, handling.CommandRefused):
                assert (event.version, event.status, event.service) == (life.version, life.status, life.owner)
                assert len(events) == 1
            elif isinstance(event, handling.LifeEvent):
                move = MOVE_OF[type(event)]
                assert (life.status, move) in TRANSITIONS
                assert event.status == TRANSITIONS[life.status, move]
                assert event.version == life.version + 1
                assert (event.service is not None) == (event.status in OPEN)
                assert not isinstance(event, handling.RequestTransferred) or event.service != life.service
                after = evolve(life, event)
                assert after is not None
                before, life = life, after
                assert after.service == (event.service or before.service), "a closed request keeps who had it"
        queued = [event for event in events if isinstance(event, handling.QueueEntered)]
        entered = any(isinstance(event, handling.RequestTransferred | handling.RequestReopened) for event in events)
        assert [event.service for event in queued] == ([life.owner] if entered else [])

    @initialize(service=some.sampled_from(SERVICES), now=some.sampled_from([MONDAY, BEFORE_CULTURE_CLOSED]))
    def receive(self, service: str | None, now: datetime) -> None:
        self.now = now
        self._fact(received(service, at=now))

    def _fact(self, event: Any) -> None:
        self.sequence += 1
        self._take(Input(REQUEST, "rivemont", event, True, "requests.v1", self.sequence))

    @rule(cls=some.sampled_from(FACTS[:3]))
    def usager_asks(self, cls: type[Any]) -> None:
        sealed = {"sealed": "TUVT"} if "sealed" in cls.model_fields else {}
        self._fact(cls(request_id=REQUEST, authority="rivemont", at=self.now, **sealed))

    @rule(really=some.integers(0, 15))
    def usager_erases(self, really: int) -> None:
        if really == 0:
            self._fact(requests.RequestErased(request_id=REQUEST, authority="rivemont", at=self.now))

    @rule(acts=some.lists(ACTS, min_size=1, max_size=5))
    def agents_act(self, acts: list[tuple[Action, int | None, str | None, str | None, str | None]]) -> None:
        for action, behind, mailbox, target, sealed in acts:
            life = self._life()
            assert life is not None
            if mailbox == "owner":
                mailbox = RIVEMONT.mailbox(life.owner) if life.owner else None
            version = None if behind is None else life.version - behind
            act = Act(action=action, expected_version=version, mailbox=mailbox, target=target, by="QllF", sealed=sealed)
            self._take(Input(REQUEST, "rivemont", act, ticket=Ticket("link", str(len(self.inputs)))))

    @rule(hours=some.integers(1, 24 * 9))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(data=some.data())
    def an_input_comes_again(self, data: some.DataObject) -> None:
        before = self.known[REQUEST].state, tuple(self.known[REQUEST].sent)
        again = data.draw(some.sampled_from(self.inputs))

        assert self._fold(again).kind == "duplicate"
        assert (self.known[REQUEST].state, tuple(self.known[REQUEST].sent)) == before

    @invariant()
    def an_open_request_has_exactly_one_owner_and_a_closed_one_none(self) -> None:
        life = self._life()
        if life is not None:
            assert life.status != "registered"
            assert (life.owner is not None) == (life.status in OPEN)
            assert life.owner is None or RIVEMONT.find_service(life.owner) is not None

    @invariant()
    def each_version_has_its_line_in_the_history(self) -> None:
        life = self._life()
        assert life is None or len(life.history) == life.version
        assert life is None or life.status != "erased" or not any(entry.sealed for entry in life.history)

    @invariant()
    def the_state_is_rebuilt_from_the_log(self) -> None:
        """From the facts in any order among the router's own events, as long as the first comes first."""
        rebuilt: Life | None = None
        for event in self.log:
            rebuilt = evolve(rebuilt, event)
        requests_first: Life | None = None
        for event in sorted(self.log, key=lambda event: ".request." not in event.type_):
            requests_first = evolve(requests_first, event)

        assert rebuilt == requests_first == self._life()


Lives.TestCase.settings = settings(max_examples=100, stateful_step_count=30)
TestLives = Lives.TestCase
