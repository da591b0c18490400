"""The faults of a seed, planned before it runs: a list that can be printed, and cut down to those that matter."""

from dataclasses import dataclass
from random import Random
from typing import Final, Literal, get_args

from tests.simulation.scheduler import HOUR, MILLISECOND, MINUTE, SECOND

Kind = Literal[
    "crash_before_commit",
    "crash_after_commit",
    "crash_at_a_step",
    "crash_at_a_lock",
    "commit_unknown_lost",
    "commit_unknown_done",
    "database_away",
    "stall",
    "zombie",
    "rebalance",
    "redelivery",
    "reordering",
    "relay_crash_after_send",
    "relay_crash_midway",
    "clock_jump",
    "clock_skew",
    "reload",
    "poison_bytes",
    "poison_step",
    "garbage",
    "lost_event",
    "lost_log",
    "mail_away",
    "mail_delay",
    "mail_lost_answer",
    "mail_bounce",
    "sender_crash",
    "smtp_stall",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
SERVICES: Final = ("intake", "router", "sla", "notifier", "stats")

RATES: Final[dict[Kind, float]] = {
    "crash_before_commit": 3.0,
    "crash_after_commit": 3.0,
    "crash_at_a_step": 4.0,
    "crash_at_a_lock": 1.0,
    "commit_unknown_lost": 1.5,
    "commit_unknown_done": 1.5,
    "database_away": 1.0,
    "stall": 2.0,
    "zombie": 1.0,
    "rebalance": 1.0,
    "redelivery": 2.0,
    "reordering": 3.0,
    "relay_crash_after_send": 2.0,
    "relay_crash_midway": 1.0,
    "clock_jump": 0.7,
    "clock_skew": 1.5,
    "reload": 0.4,
    "poison_bytes": 0.5,
    "poison_step": 0.7,
    "garbage": 0.5,
    "lost_event": 1.0,
    "lost_log": 0.15,
    "mail_away": 0.6,
    "mail_delay": 0.8,
    "mail_lost_answer": 1.0,
    "mail_bounce": 1.0,
    "sender_crash": 1.0,
    "smtp_stall": 0.5,
}
"""How many of each a seed has, on average, at full strength."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned fault: from `at` on, the `skip`-th occasion at `service` brings it about. `size` is what it needs, in µs."""

    number: int
    kind: Kind
    at: int
    service: str
    skip: int
    size: int
    where: float
    """Between 0 and 1: chooses among what there is when it happens."""

    def __str__(self) -> str:
        return f"fault {self.number}: {self.kind} at {self.service}"


def plan(random: Random, *, start: int, spread: int, strength: float) -> list[Fault]:
    """Draw the faults of a seed, in the order of their instants: most while requests come in, some while they are handled."""
    faults: list[Fault] = []
    for kind in KINDS:
        mean = RATES[kind] * strength
        count = int(mean) + (random.random() < mean - int(mean))
        for _ in range(random.randint(0, 2 * count) if count > 1 else count):
            late = random.random() < 0.4
            at = start + int(random.random() * spread * (20 if late else 1.2))
            faults.append(
                Fault(
                    0,
                    kind,
                    at,
                    random.choice(places_of(kind)),
                    _skip(kind, random),
                    _size(kind, random),
                    random.random(),
                )
            )
    faults.sort(key=lambda fault: (fault.at, fault.kind))
    return [Fault(number, *_rest(fault)) for number, fault in enumerate(faults, 1)]


def places_of(kind: Kind) -> tuple[str, ...]:
    """Return the services at which a fault can find its occasion."""
    match kind:
        case "sender_crash" | "mail_lost_answer" | "mail_bounce" | "smtp_stall":
            return ("notifier",)
        case "lost_event" | "poison_bytes" | "relay_crash_after_send" | "relay_crash_midway":
            return ("intake", "router", "router", "sla", "notifier")  # the statistics publish nothing
        case _:
            return SERVICES


def _rest(fault: Fault) -> tuple[Kind, int, str, int, int, float]:
    return fault.kind, fault.at, fault.service, fault.skip, fault.size, fault.where


def _skip(kind: Kind, random: Random) -> int:
    match kind:
        case "crash_at_a_step":
            return int(random.expovariate(0.02))
        case "crash_at_a_lock":  # few wait for one at all
            return 0
        case _:
            return int(random.expovariate(0.3))


def _size(kind: Kind, random: Random) -> int:
    match kind:
        case "clock_jump":
            return random.choice((-1, 1)) * random.choice((SECOND, MINUTE, 90 * MINUTE, 30 * HOUR))
        case "clock_skew":
            return random.choice((-1, 1)) * int(random.random() * 5 * MINUTE)
        case "mail_delay" | "mail_away":
            return int(random.random() * 6 * HOUR)
        case "database_away" | "smtp_stall" | "stall":  # who stands still for longer is killed: that is another fault
            return int(random.random() * 2 * MINUTE)
        case "reordering":
            return int(random.random() * random.choice((10 * SECOND, HOUR)))
        case _:
            return int(random.random() * random.choice((100 * MILLISECOND, 20 * SECOND, 10 * MINUTE)))
