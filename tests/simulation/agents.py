"""Agents: they read the mails of their mailbox and follow the links in them, at once, late, too late, twice, or never."""

from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Final, get_args

from services.router.domain.act import Act as Command
from shared.actions.link import LIFETIME, ExpiredLink, Link, Links
from shared.delivery.values import Input, Ticket
from shared.events.handling import Action
from tests.simulation.clicks import Click, Clicks
from tests.simulation.mail import Envelope
from tests.simulation.scheduler import DAY, HOUR, MINUTE, SECOND, instant, pause

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

ACTIONS: tuple[Action, ...] = get_args(Action)
_WEIGHTS = {"take_charge": 30, "ask": 12, "answer": 30, "transfer": 12, "resolve": 16}
TRIES = 6
LINKS: Final = Links(bytes(32))


class Agents:
    """Everybody who works for the town. Each mail is answered, or not, from a stream of its own."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.clicks = Clicks(world)

    def read(self, mail: Envelope) -> None:
        """A mail arrived; if it is for a mailbox of agents somebody may act upon it."""
        if mail.mailbox is None or self._world.over:
            return
        world = self._world
        random = world.random_for(f"agent of {mail.message_id}")
        if random.random() < world.forgetful:
            world.count("agent forgot")
            return
        world.scheduler.spawn(self._follow(mail, random))

    async def _follow(self, mail: Envelope, random: Random) -> None:
        world = self._world
        kind = random.choices(("soon", "away", "old link"), (80, 12, 8))[0]
        world.count(f"agent: {kind}")
        scale = {"soon": random.choice((MINUTE, HOUR, 6 * HOUR)), "away": 2 * DAY, "old link": 4 * DAY}[kind]
        await pause(int(random.expovariate(1) * scale))
        if world.over:
            return
        action: Action = random.choices(ACTIONS, [_WEIGHTS[one] for one in ACTIONS])[0]
        if random.random() < 0.06:
            world.count("agent: two at once")
            other: Action = random.choice(ACTIONS)
            world.scheduler.spawn(self._press(mail, other, random, "a colleague"))
        if random.random() < 0.04:
            world.count("agent: same link twice")
            world.scheduler.spawn(self._press(mail, action, random, "the same agent again"))
        await self._press(mail, action, random, "an agent")
        if random.random() < 0.7:
            await self._go_on(mail, random)

    async def _go_on(self, mail: Envelope, random: Random) -> None:
        """The page that answers has fresh links: settle what was begun."""
        world = self._world
        for _ in range(random.randint(1, 3)):
            await pause(int(random.expovariate(1) * random.choice((10 * MINUTE, DAY))))
            life = world.groups["router"].tables.state(mail.request_id)
            if life is None or world.over:
                return
            action: Action = random.choices(ACTIONS, (2, 10, 40, 6, 42))[0]
            now = instant(world.scheduler.now)
            fresh = mail._replace(version=life.version)
            await self._press(fresh, action, random, "the agent, from a fresh page", made_at=now)

    async def _press(self, mail: Envelope, action: Action, random: Random, who: str, *, made_at: datetime | None = None) -> None:
        """Press one button until its outcome is known, or patience ends. `made_at`: when the link was, if not for the mail."""
        world = self._world
        made_at = made_at or mail.letter.at
        token = _token(mail, action, made_at)
        click = self.clicks.of(token, mail, action, made_at)
        one = self._input(mail, action, random, token)
        told: str | None = None
        for _ in range(TRIES):
            if one is None:
                told = "erased"
                break
            process = world.any_of("router", random)
            if process is not None and not self._opens(token, click, process):
                told = "expired"
                world.count("agent: link expired")
                break
            told = await self._try(process, one, click)
            if told is not None:
                break
            await pause(int(random.expovariate(1) * 10 * SECOND))
        world.count(f"agent: {action} {click.outcome}")
        world.note(f"{who} wants to {action} at version {mail.version}: {click.outcome} {told or ''}", mail.request_id)

    async def _try(self, process: "Process | None", one: Input, click: Click) -> str | None:
        """Press once; return what the page told, None where it told nothing."""
        if process is None:
            return None
        target = one.event.target
        was_known = self.clicks.press(click, target)
        result = await self._world.ask(process, one)
        return self.clicks.answer(click, result, target=target, was_known=was_known)

    def _opens(self, token: str, click: Click, process: "Process") -> bool:
        """Tell whether the page opens a link: by the clock of the copy that answers its time is not over."""
        now = process.now()
        try:
            LINKS.read(token, now)
        except ExpiredLink:
            self.clicks.opened(click, opens=False, now=now)
            return False
        self.clicks.opened(click, opens=True, now=now)
        return True

    def _input(self, mail: Envelope, action: Action, random: Random, token: str) -> Input | None:
        world = self._world
        if mail.request_id not in world.vault.keys:
            return None
        authority = world.installation.authority(mail.authority)
        target = random.choice(tuple(authority.services)) if action == "transfer" else None
        by = world.vault.seal(mail.request_id)
        sealed = world.vault.seal(mail.request_id) if action in ("ask", "answer", "resolve") else by
        act = Command(action=action, expected_version=mail.version, mailbox=mail.mailbox, target=target, by=by, sealed=sealed)
        ticket = Ticket("link", token, (target or "").encode())
        return Input(mail.request_id, mail.authority, act, ticket=ticket)


def _token(mail: Envelope, action: Action, made_at: datetime) -> str:
    assert mail.mailbox is not None, "only agents get links"
    return LINKS.mint(
        Link(
            request_id=mail.request_id,
            authority=mail.authority,
            action=action,
            version=mail.version,
            agent=mail.mailbox,
            expires_at=made_at + LIFETIME,
        )
    )
